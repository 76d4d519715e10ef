"""Where the parts of a flow's graph stand when it is drawn: layers from top to bottom, few crossings, no overlap.

A layered drawing after Sugiyama: each vertex below all that feed it (longest path), edges over several layers led
through free places, the order in a layer by the mean of the neighbours (barycentre), then straightened. The same graph
gives the same drawing.

Source: K. Sugiyama, S. Tagawa, M. Toda, Methods for Visual Understanding of Hierarchical System Structures, IEEE
Transactions on Systems, Man, and Cybernetics 11 (1981), 109-125.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from opsloop.flows.graph import Edge, Graph, Place, Vertex

HEIGHT = 46
LAYER_GAP = 44
GAP = 22
LANE = 10
MARGIN = 14
NARROWEST, WIDEST = 96, 220
MOST_CHARS = 26
_CHAR = 7.4
_PADDING = 30
_SWEEPS = 8
_CONDITION_ASIDE = 26.0
"""Conditions leave and arrive beside the middle, so that they do not lie on the arrow of a value."""


@dataclass(frozen=True, slots=True)
class Box:
    """A vertex and its place; `x` and `y` are of the upper left corner, in pixels.

    `label` is its name, cut; `note` says what it is.
    """

    vertex: Vertex
    x: int
    y: int
    width: int
    height: int
    label: str
    note: str


@dataclass(frozen=True, slots=True)
class Line:
    """An edge: an SVG path from the lower side of its source to the upper side of its target.

    `label_x`, `label_y`: where its condition is written.
    """

    edge: Edge
    path: str
    label: str
    label_x: int
    label_y: int


@dataclass(frozen=True, slots=True)
class Drawing:
    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def draw(graph: Graph) -> Drawing:
    """The places of all vertices and the paths of all edges of a graph without cycles."""
    if not graph.vertices:
        return Drawing(0, 0, (), ())
    layer = _layers(graph)
    routes = _routes(graph, layer)
    widths = {each.id: _width(each) for each in graph.vertices}
    order = _ordered(graph, layer, routes)
    middles = _middles(order, widths, routes)
    boxes = tuple(
        Box(
            vertex=each,
            x=round(middles[each.id] - widths[each.id] / 2),
            y=MARGIN + layer[each.id] * (HEIGHT + LAYER_GAP),
            width=widths[each.id],
            height=HEIGHT,
            label=_cut(each.name, MOST_CHARS),
            note=_note(each),
        )
        for each in graph.vertices
    )
    lines = tuple(_line(edge, route, layer, middles) for edge, route in zip(graph.edges, routes, strict=True))
    right = max([box.x + box.width for box in boxes] + [line.label_x + _label_room(line) for line in lines])
    return Drawing(right + MARGIN, max(box.y for box in boxes) + HEIGHT + MARGIN, boxes, lines)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _width(vertex: Vertex) -> int:
    chars = max(len(_cut(vertex.name, MOST_CHARS)), len(_note(vertex)))
    return round(min(WIDEST, max(NARROWEST, chars * _CHAR + _PADDING)))


def _note(vertex: Vertex) -> str:
    if vertex.place is not Place.NODE:
        return f"{vertex.place.value}, {vertex.type}"
    return f"{_cut(vertex.type, MOST_CHARS - 10)}, all rows" if vertex.aggregation else _cut(vertex.type, MOST_CHARS)


def _label_room(line: Line) -> int:
    return round(len(line.label) * _CHAR / 2) if line.label else 0


# --- layers ------------------------------------------------------------------------------------------------------


def _layers(graph: Graph) -> dict[str, int]:
    """Each vertex one below the lowest that feeds it; inputs right above the highest that reads them."""
    feeds: dict[str, list[str]] = {each.id: [] for each in graph.vertices}
    fed_by: dict[str, list[str]] = {each.id: [] for each in graph.vertices}
    for edge in graph.edges:
        feeds[edge.source].append(edge.target)
        fed_by[edge.target].append(edge.source)
    layer: dict[str, int] = {}
    missing = {id: len(sources) for id, sources in fed_by.items()}
    ready = [id for id, count in missing.items() if count == 0]
    while ready:
        id = ready.pop()
        layer[id] = max((layer[source] + 1 for source in fed_by[id]), default=0)
        for target in feeds[id]:
            missing[target] -= 1
            if missing[target] == 0:
                ready.append(target)
    for vertex in graph.vertices:
        if vertex.place is Place.INPUT and feeds[vertex.id]:
            layer[vertex.id] = min(layer[target] for target in feeds[vertex.id]) - 1
    # What no arrow touches is spread over the layers: side by side in one it would make the drawing wide.
    depth = max(layer.values()) + 1
    alone = [id for id in layer if not feeds[id] and not fed_by[id]]
    layer.update({id: index % depth for index, id in enumerate(sorted(alone, key=list(feeds).index))})
    return layer


Route = tuple[str, ...]
"""The ids an edge passes, its ends included; between them are lanes, ids of no vertex."""


def _routes(graph: Graph, layer: dict[str, int]) -> list[Route]:
    """Lead edges over several layers through lanes, one a layer; edges of one source share theirs."""
    routes: list[Route] = []
    for edge in graph.edges:
        between = range(layer[edge.source] + 1, layer[edge.target])
        kind = "" if edge.condition is None else f"?{edge.target}"
        lanes = [f"{edge.source}>{at}{kind}" for at in between]
        layer.update(zip(lanes, between, strict=True))
        routes.append((edge.source, *lanes, edge.target))
    return routes


# --- order and place in a layer ----------------------------------------------------------------------------------


def _neighbours(routes: Sequence[Route]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """What is next above, and next below, each id."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for route in routes:
        for upper, lower in pairwise(route):
            if upper not in above.setdefault(lower, []):
                above[lower].append(upper)
                below.setdefault(upper, []).append(lower)
    return above, below


def _ordered(graph: Graph, layer: Mapping[str, int], routes: Sequence[Route]) -> list[list[str]]:
    """The ids of each layer from left to right: of all orders the sweeps come to, the one with the fewest crossings."""
    rows: list[list[str]] = [[] for _ in range(max(layer.values()) + 1)]
    above, below = _neighbours(routes)
    ids = dict.fromkeys([*(each.id for each in graph.vertices), *(id for route in routes for id in route)])
    alone = [id for id in ids if id not in above and id not in below]
    for id in ids:
        if id in above or id in below:
            rows[layer[id]].append(id)
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        down = sweep % 2 == 0
        indexes = range(1, len(rows)) if down else range(len(rows) - 2, -1, -1)
        for index in indexes:
            beside = rows[index - 1] if down else rows[index + 1]
            _sort(rows[index], beside, above if down else below)
        if (found := _crossings(rows, below)) < fewest:
            best, fewest = [list(row) for row in rows], found
    for id in alone:
        best[layer[id]].append(id)
    return best


def _sort(row: list[str], beside: Sequence[str], neighbours: Mapping[str, Sequence[str]]) -> None:
    at = {id: index for index, id in enumerate(beside)}
    here = {id: index for index, id in enumerate(row)}

    def wanted(id: str) -> float:
        places = [at[each] for each in neighbours.get(id, ())]
        # What has no neighbour keeps its place among the others, in their measure.
        return sum(places) / len(places) if places else here[id] * len(beside) / len(row)

    row[:] = sorted(row, key=wanted)


def _crossings(rows: Sequence[Sequence[str]], below: Mapping[str, Sequence[str]]) -> int:
    """How many pairs of edges between neighbouring layers cross."""
    count = 0
    for upper, lower in pairwise(rows):
        at = {id: index for index, id in enumerate(lower)}
        ended: list[int] = []
        for end in (end for id in upper for end in sorted(at[each] for each in below.get(id, ()))):
            count += len(ended) - bisect_right(ended, end)
            insort(ended, end)
    return count


def _middles(order: Sequence[Sequence[str]], widths: Mapping[str, int], routes: Sequence[Route]) -> dict[str, float]:
    """The middle of each id, in pixels: near its neighbours, never nearer to those beside it than the gap."""
    above, below = _neighbours(routes)
    middle: dict[str, float] = {}
    for row in order:
        middle.update(zip(row, _apart(row, [0.0] * len(row), widths), strict=True))
    for sweep in range(2 * _SWEEPS):
        down = sweep % 2 == 0
        for row in order if down else reversed(order):
            nearest = above if down else below
            wanted = [
                _mean([middle[each] for each in nearest.get(id, ()) or above.get(id, ()) or below.get(id, ())])
                for id in row
            ]
            there = [middle[id] if want is None else want for id, want in zip(row, wanted, strict=True)]
            middle.update(zip(row, _apart(row, there, widths), strict=True))
    for row in order:
        _close_up(row, middle, widths, alone={id for id in row if id not in above and id not in below})
    left = min(middle[id] - widths.get(id, LANE) / 2 for row in order for id in row)
    return {id: at - left + MARGIN for id, at in middle.items()}


def _close_up(row: Sequence[str], middle: dict[str, float], widths: Mapping[str, int], alone: set[str]) -> None:
    """Move what no arrow touches beside what stands left of it."""
    for left, right in pairwise(row):
        if right in alone:
            middle[right] = middle[left] + _distance(left, right, widths)


def _distance(left: str, right: str, widths: Mapping[str, int]) -> float:
    """The least distance of two middles in a layer."""
    return (widths.get(left, LANE) + widths.get(right, LANE)) / 2 + GAP


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _apart(row: Sequence[str], wanted: Sequence[float], widths: Mapping[str, int]) -> list[float]:
    """Places near those wanted, in order, far enough apart.

    Pushing all to the right and pushing all to the left both keep the distances, and so does their mean.
    """
    need = [_distance(a, b, widths) for a, b in pairwise(row)]
    rightward, leftward = list(wanted), list(wanted)
    for index, distance in enumerate(need):
        rightward[index + 1] = max(rightward[index + 1], rightward[index] + distance)
    for index in range(len(need) - 1, -1, -1):
        leftward[index] = min(leftward[index], leftward[index + 1] - need[index])
    return [(right + left) / 2 for right, left in zip(rightward, leftward, strict=True)]


# --- lines -------------------------------------------------------------------------------------------------------


def _line(edge: Edge, route: Route, layer: Mapping[str, int], middles: Mapping[str, float]) -> Line:
    aside = 0.0 if edge.condition is None else _CONDITION_ASIDE
    x, y = middles[route[0]] + aside, _top(layer[route[0]]) + HEIGHT
    path = f"M{x:.0f} {y}"
    label = (round(x), y)
    for number, id in enumerate(route[1:], 1):
        is_last = number == len(route) - 1
        to_x, to_y = middles[id] + (aside if is_last else 0.0), _top(layer[id])
        half = (y + to_y) / 2
        path += f"C{x:.0f} {half:.0f} {to_x:.0f} {half:.0f} {to_x:.0f} {to_y}"
        label = round(x + 0.6 * (to_x - x)), round(y + 0.55 * (to_y - y))
        if not is_last:
            path += f"V{to_y + HEIGHT}"
        x, y = to_x, to_y + HEIGHT
    text = "" if edge.condition is None else _cut(edge.condition, MOST_CHARS)
    return Line(edge, path, text, *label)


def _top(layer: int) -> int:
    return MARGIN + layer * (HEIGHT + LAYER_GAP)
