"""The graph of a flow: what runs after what, and what its drawings show."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

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


class Place(StrEnum):
    """Where something stands in a flow."""

    INPUT = "input"
    NODE = "node"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Vertex:
    """An input, a node or an output as a drawing shows it. `type` is that of the value, or of the node."""

    id: str
    place: Place
    name: str
    type: str
    aggregation: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """From one vertex to another, by their ids. `condition` is what a node's activation waits for: `is True`."""

    source: str
    target: str
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """What every drawing of a flow shows."""

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]


def graph_of(flow: Flow) -> Graph:
    """The flow's inputs, nodes and outputs, and what goes from which to which."""
    inputs = {name: f"in_{index}" for index, name in enumerate(flow.inputs)}
    nodes = {node.name: f"n{index}" for index, node in enumerate(flow.nodes)}
    outputs = {name: f"out_{index}" for index, name in enumerate(flow.outputs)}

    def start(reference: Reference) -> str:
        return inputs[reference.name] if reference.node is None else nodes[reference.node]

    edges: list[Edge] = []
    for node in flow.nodes:
        bound = [each for each in node.inputs.values() if isinstance(each, Reference)]
        sources = dict.fromkeys(start(reference) for reference in bound)
        edges += [Edge(source, nodes[node.name]) for source in sources]
        if node.activate is not None and isinstance(node.activate.when, Reference):
            edges.append(Edge(start(node.activate.when), nodes[node.name], f"is {node.activate.value}"))
    for output in flow.outputs.values():
        if isinstance(output.binding, Reference):
            edges.append(Edge(start(output.binding), outputs[output.name]))
    vertices = (
        *(Vertex(inputs[name], Place.INPUT, name, each.type.value) for name, each in flow.inputs.items()),
        *(Vertex(nodes[node.name], Place.NODE, node.name, node.type, node.aggregation) for node in flow.nodes),
        *(Vertex(outputs[name], Place.OUTPUT, name, each.type.value) for name, each in flow.outputs.items()),
    )
    return Graph(vertices, tuple(edges))


def mermaid(flow: Flow) -> str:
    """The flow as a Mermaid flowchart: inputs, nodes with their type, outputs; conditions on dotted arrows."""
    graph = graph_of(flow)
    lines = ["flowchart TD"]
    lines += [f"    {_shape(vertex)}" for vertex in graph.vertices]
    for edge in graph.edges:
        arrow = "-->" if edge.condition is None else f'-. "{_label(edge.condition)}" .->'
        lines.append(f"    {edge.source} {arrow} {edge.target}")
    return "\n".join(lines) + "\n"


def _shape(vertex: Vertex) -> str:
    if vertex.place is not Place.NODE:
        return f'{vertex.id}(["{_label(vertex.name)}"])'
    left, right = ("[[", "]]") if vertex.aggregation else ("[", "]")
    return f'{vertex.id}{left}"{_label(vertex.name)}<br/><i>{_label(vertex.type)}</i>"{right}'


def _label(text: str) -> str:
    """Text safe inside a quoted Mermaid label."""
    return "".join(char if char.isalnum() or char in " _-./" else f"#{ord(char)};" for char in text)
