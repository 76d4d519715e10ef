"""All that there is to see of a flow version, as its page and `GET /api/flows/{ref}` show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.core.workspace import UnitOfWork
from opsloop.flows import contents, form, run_records, versions
from opsloop.flows.contents import SourceFile
from opsloop.flows.form import Field
from opsloop.flows.graph import Graph, dependencies, graph_of, mermaid
from opsloop.flows.models import Binding, Flow, FlowFormat, FlowVersion, Node, OutputSummary, Reference
from opsloop.flows.run_models import FlowRunLine
from opsloop.flows.values import plain

VERSIONS = 100
RUNS = 20


@dataclass(frozen=True, slots=True)
class NodeInput:
    """What one input of a node is bound to: a reference, or a value written in the flow."""

    name: str
    bound_to: Any
    is_reference: bool


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node in full. `id` is its id in the graph; `runs_when` its condition in words."""

    id: str
    name: str
    type: str
    source: str
    is_file: bool
    inputs: tuple[NodeInput, ...]
    after: tuple[str, ...]
    runs_when: str
    aggregation: bool
    connection: str | None
    api: str | None


@dataclass(frozen=True, slots=True)
class VariantView:
    """The ways a node can be written."""

    node: str
    default: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlowView:
    version: FlowVersion
    format: FlowFormat
    file: str
    inputs: tuple[Field, ...]
    outputs: tuple[OutputSummary, ...]
    nodes: tuple[NodeView, ...]
    variants: tuple[VariantView, ...]
    graph: Graph
    mermaid: str
    warnings: tuple[str, ...]
    python_requirements: str | None
    files: tuple[SourceFile, ...]
    versions: tuple[FlowVersion, ...]
    runs: tuple[FlowRunLine, ...]


def view(uow: UnitOfWork, ref: str) -> FlowView:
    """Raises: FlowVersionMissing, InvalidInput."""
    version = versions.get(uow, ref)
    return view_of(uow, version, versions.read(uow.workspace, version))


def view_of(uow: UnitOfWork, version: FlowVersion, flow: Flow) -> FlowView:
    drawn = graph_of(flow)
    files = contents.files(uow.workspace, version)
    paths = {each.path for each in files}
    waits = dependencies(flow)
    return FlowView(
        version=version,
        format=flow.format,
        file=flow.file,
        inputs=form.fields(flow),
        outputs=tuple(
            OutputSummary(each.name, each.type, _text(each.binding), each.is_chat_output)
            for each in flow.outputs.values()
        ),
        nodes=tuple(_node(f"n{index}", node, waits, paths) for index, node in enumerate(flow.nodes)),
        variants=tuple(
            VariantView(name, each.default_id, tuple(each.variants)) for name, each in flow.variants.items()
        ),
        graph=drawn,
        mermaid=mermaid(flow),
        warnings=flow.warnings,
        python_requirements=flow.python_requirements,
        files=tuple(files),
        versions=tuple(versions.listed(uow, name=version.name, limit=VERSIONS)),
        runs=tuple(run_records.listed(uow, version.name, limit=RUNS)),
    )


def _node(id: str, node: Node, waits: Mapping[str, set[str]], paths: set[str]) -> NodeView:
    return NodeView(
        id=id,
        name=node.name,
        type=node.type,
        source=node.source.path or node.source.tool or "",
        is_file=node.source.path in paths,
        inputs=tuple(_input(name, each) for name, each in node.inputs.items()),
        after=tuple(sorted(waits[node.name])),
        runs_when="" if node.activate is None else f"{_text(node.activate.when)} is {node.activate.value}",
        aggregation=node.aggregation,
        connection=node.connection,
        api=node.api,
    )


def _input(name: str, binding: Binding) -> NodeInput:
    if isinstance(binding, Reference):
        return NodeInput(name, str(binding), is_reference=True)
    return NodeInput(name, plain(binding.value), is_reference=False)


def _text(binding: Binding) -> str:
    return str(binding) if isinstance(binding, Reference) else str(plain(binding.value))
