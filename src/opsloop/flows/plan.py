"""A flow made ready to run: nodes prepared and numbered, so that a run looks nothing up by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.flows import graph
from opsloop.flows.models import Activate, Flow, FlowOutput, Literal, Node, Reference
from opsloop.flows.nodes.port import Kit, Runner
from opsloop.flows.nodes.registry import prepare
from opsloop.flows.threads import NodeThreads

_ASKS_MODEL = ("llm", "custom_llm", "prompty", "prompt")


@dataclass(frozen=True, slots=True)
class Wire:
    """One input of a node at run time: `source` is the number of a node, or None for an input of the flow."""

    name: str
    reference: Reference
    source: int | None


@dataclass(frozen=True, slots=True)
class Constant:
    """One output of a flow that is written in the flow itself."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Step:
    """One node, ready to run.

    `waits` counts the nodes of its own pass (rows, or aggregation) it waits for; `feeds` are the steps of that pass
    that wait for it.
    """

    index: int
    node: Node
    runner: Runner
    literals: Mapping[str, Any]
    wires: tuple[Wire, ...]
    node_sources: tuple[int, ...]
    when: Wire | None
    activate: Activate | None
    waits: int
    feeds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of rows, in an order that can run, and the steps of the aggregation after all rows.

    `streams` is the number of the step whose text is the chat output, when exactly that text is; `outputs` are those of
    rows; `aggregated` is what the aggregation reads of each row. `reads_images` says whether a node may look at the
    bytes of an image that came in; a model can look at it where it is.
    """

    flow: Flow
    threads: NodeThreads
    steps: tuple[Step, ...]
    aggregation: tuple[Step, ...]
    outputs: tuple[Wire | Constant, ...]
    streams: int | None
    aggregated: tuple[Wire, ...]
    reads_images: bool


def make_plan(flow: Flow, kit: Kit) -> Plan:
    """Raises: FlowInvalid when nodes form a cycle or cannot be prepared."""
    order = graph.in_order(flow)
    nodes = {node.name: node for node in flow.nodes}
    rows = [nodes[name] for name in order if not nodes[name].aggregation]
    after = [nodes[name] for name in order if nodes[name].aggregation]
    number = {node.name: index for index, node in enumerate([*rows, *after])}
    waits = graph.dependencies(flow)
    passes = {node.name: node.aggregation for node in flow.nodes}
    steps = [_step(node, number, waits, passes, kit) for node in [*rows, *after]]
    return Plan(
        flow=flow,
        threads=kit.threads,
        steps=tuple(steps[: len(rows)]),
        aggregation=tuple(steps[len(rows) :]),
        outputs=tuple(_output(each, number) for each in flow.outputs.values() if _is_of_row(each, nodes)),
        streams=_streaming_step(flow, number, waits),
        aggregated=_aggregated(after, nodes, number),
        reads_images=any(node.type not in _ASKS_MODEL for node in flow.nodes),
    )


def _step(
    node: Node, number: Mapping[str, int], waits: Mapping[str, set[str]], passes: Mapping[str, bool], kit: Kit
) -> Step:
    wires = tuple(_wire(name, each, number) for name, each in node.inputs.items() if isinstance(each, Reference))
    when = node.activate.when if node.activate is not None else None
    same_pass = {name for name, is_after in passes.items() if is_after == node.aggregation}
    return Step(
        index=number[node.name],
        node=node,
        runner=prepare(node, kit),
        literals={name: each.value for name, each in node.inputs.items() if isinstance(each, Literal)},
        wires=wires,
        node_sources=tuple(wire.source for wire in wires if wire.source is not None),
        when=_wire("activate.when", when, number) if isinstance(when, Reference) else None,
        activate=node.activate,
        waits=len(waits[node.name] & same_pass),
        feeds=tuple(sorted(number[name] for name, needs in waits.items() if node.name in needs and name in same_pass)),
    )


def _wire(name: str, reference: Reference, number: Mapping[str, int]) -> Wire:
    return Wire(name, reference, None if reference.node is None else number[reference.node])


def _output(output: FlowOutput, number: Mapping[str, int]) -> Wire | Constant:
    binding = output.binding
    if isinstance(binding, Reference):
        return _wire(output.name, binding, number)
    return Constant(output.name, binding.value)


def _is_of_row(output: FlowOutput, nodes: Mapping[str, Node]) -> bool:
    node = output.binding.node if isinstance(output.binding, Reference) else None
    return node is None or not nodes[node].aggregation


def _streaming_step(flow: Flow, number: Mapping[str, int], waits: Mapping[str, set[str]]) -> int | None:
    """The step to stream from: its whole output is the chat output."""
    binding = flow.outputs[flow.chat_output].binding if flow.chat_output is not None else None
    if not isinstance(binding, Reference) or binding.node is None or binding.path:
        return None
    return number[binding.node]


def _aggregated(after: list[Node], nodes: Mapping[str, Node], number: Mapping[str, int]) -> tuple[Wire, ...]:
    """What aggregation nodes need of each row, each thing once."""
    needed = dict.fromkeys(reference for node in after for reference in node.references())
    of_rows = [each for each in needed if each.node is None or not nodes[each.node].aggregation]
    return tuple(_wire(str(reference), reference, number) for reference in of_rows)
