"""The graph of a flow: what runs after what, and its drawing."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from opsloop.flows.errors import FlowInvalid
from opsloop.flows.models import Flow, Reference


def dependencies(flow: Flow) -> dict[str, set[str]]:
    """For each node the nodes it waits for."""
    return {
        node.name: {reference.node for reference in node.references() if reference.node is not None}
        for node in flow.nodes
    }


def in_order(flow: Flow) -> list[str]:
    """Names of the nodes, each after those it waits for, else as written (Kahn's algorithm).

    Raises: FlowInvalid naming a cycle.
    """
    waits = dependencies(flow)
    missing = {name: len(needs) for name, needs in waits.items()}
    feeds: dict[str, list[str]] = {name: [] for name in waits}
    for name, needs in waits.items():
        for need in needs:
            feeds[need].append(name)
    ready = deque(name for name, count in missing.items() if count == 0)
    order = []
    while ready:
        name = ready.popleft()
        order.append(name)
        for fed in feeds[name]:
            missing[fed] -= 1
            if missing[fed] == 0:
                ready.append(fed)
    if len(order) < len(waits):
        cycle = _cycle({name: waits[name] for name, count in missing.items() if count > 0})
        raise FlowInvalid(file=flow.file, field="nodes", value=" -> ".join(cycle), wanted="nodes that form no cycle")
    return order


def _cycle(waits: Mapping[str, set[str]]) -> list[str]:
    """One cycle among nodes that all wait for another of them, in the direction data would flow."""
    name = next(name for name in waits if waits[name])
    path: list[str] = []
    while name not in path:
        path.append(name)
        # A node left over by the ordering may only feed from a cycle; following what it waits for leads into one.
        name = min(need for need in waits[name] if need in waits)
    return [name, *reversed(path[path.index(name) :])]


def mermaid(flow: Flow) -> str:
    """The flow as a Mermaid flowchart: inputs, nodes with their type, outputs; conditions on dotted arrows."""
    ids = {node.name: f"n{index}" for index, node in enumerate(flow.nodes)}
    lines = ["flowchart TD"]
    lines += [f'    in_{index}(["{_label(name)}"])' for index, name in enumerate(flow.inputs)]
    for node in flow.nodes:
        left, right = ("[[", "]]") if node.aggregation else ("[", "]")
        lines.append(f'    {ids[node.name]}{left}"{_label(node.name)}<br/><i>{_label(node.type)}</i>"{right}')
    lines += [f'    out_{index}(["{_label(name)}"])' for index, name in enumerate(flow.outputs)]

    inputs = {name: f"in_{index}" for index, name in enumerate(flow.inputs)}

    def start(reference: Reference) -> str:
        return inputs[reference.name] if reference.node is None else ids[reference.node]

    for node in flow.nodes:
        bound = [each for each in node.inputs.values() if isinstance(each, Reference)]
        for source in dict.fromkeys(start(reference) for reference in bound):
            lines.append(f"    {source} --> {ids[node.name]}")
        if node.activate is not None and isinstance(node.activate.when, Reference):
            lines.append(
                f'    {start(node.activate.when)} -. "is {_label(str(node.activate.value))}" .-> {ids[node.name]}'
            )
    for index, output in enumerate(flow.outputs.values()):
        if isinstance(output.binding, Reference):
            lines.append(f"    {start(output.binding)} --> out_{index}")
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    """Text safe inside a quoted Mermaid label."""
    return "".join(char if char.isalnum() or char in " _-./" else f"#{ord(char)};" for char in text)
