import re
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from opsloop.flows.drawing import HEIGHT, MOST_CHARS, Box, Drawing, draw
from opsloop.flows.graph import graph_of, mermaid
from opsloop.flows.models import Activate, Flow, FlowInput, FlowOutput, Node, Reference, ValueType

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)


def flow_of(
    needs: dict[str, list[str]], *, inputs: dict[str, list[str]] | None = None, asks: dict[str, str] | None = None
) -> Flow:
    """What each node reads; what reads each input; whom the condition of a node asks."""
    read, asked = inputs or {}, asks or {}
    nodes = tuple(
        Node(
            name,
            "python",
            inputs={f"i{n}": Reference(need, "output") for n, need in enumerate(each)}
            | {f"f{key}": Reference(None, key) for key, readers in read.items() if name in readers},
            activate=Activate(Reference(asked[name], "output"), True) if name in asked else None,
        )
        for name, each in needs.items()
    )
    outputs = {"answer": FlowOutput("answer", ValueType.STRING, Reference(nodes[-1].name, "output"))} if nodes else {}
    return Flow("f", Path(), "flow.dag.yaml", {name: FlowInput(name) for name in read}, outputs, nodes)


def drawn(flow: Flow) -> Drawing:
    return draw(graph_of(flow))


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


def points(path: str) -> list[tuple[int, int]]:
    """The points a path passes, without those that only bend it."""
    found: list[tuple[int, int]] = []
    for kind, numbers in re.findall(r"([MCV])([-0-9 ]+)", path):
        values = [int(each) for each in numbers.split()]
        found.append((found[-1][0], values[0]) if kind == "V" else (values[-2], values[-1]))
    return found


@st.composite
def flows(draw_: st.DrawFn) -> Flow:
    count = draw_(st.integers(1, 30))
    needs = {f"node_{n}": [f"node_{m}" for m in sorted(draw_(st.sets(st.integers(0, n - 1), max_size=3))) if n]
             if n else [] for n in range(count)}  # fmt: skip
    names = st.sets(st.sampled_from(sorted(needs)), max_size=5)
    inputs = {f"input_{n}": sorted(draw_(names)) for n in range(draw_(st.integers(0, 5)))}
    asked = {f"node_{n}": "node_0" for n in sorted(draw_(st.sets(st.integers(1, count), max_size=4))) if n < count}
    return flow_of(needs, inputs=inputs, asks=asked)


@given(flows())
def test_nothing_lies_on_anything_and_every_edge_goes_down(flow: Flow) -> None:
    found = drawn(flow)
    boxes = {box.vertex.id: box for box in found.boxes}
    ordered = list(boxes.values())
    assert not any(overlap(a, b) for n, a in enumerate(ordered) for b in ordered[n + 1 :])
    for line in found.lines:
        source, target = boxes[line.edge.source], boxes[line.edge.target]
        passed = points(line.path)
        assert source.y + source.height < target.y
        assert passed[0][1] == source.y + source.height
        assert passed[-1][1] == target.y
        assert source.x < passed[0][0] < source.x + source.width
        assert target.x < passed[-1][0] < target.x + target.width
        assert all(upper[1] < lower[1] for upper, lower in pairwise(passed))
    assert all(box.x >= 0 and box.x + box.width <= found.width and box.y + HEIGHT <= found.height for box in ordered)


@given(flows())
def test_no_edge_passes_through_a_box(flow: Flow) -> None:
    found = drawn(flow)
    for line in found.lines:
        for x, y in points(line.path)[1:-1]:
            on = [box for box in found.boxes if box.x <= x <= box.x + box.width and box.y <= y <= box.y + HEIGHT]
            assert on == []


@given(flows())
def test_a_drawing_is_the_same_each_time(flow: Flow) -> None:
    assert drawn(flow) == drawn(flow)


@given(flows())
def test_mermaid_and_the_drawing_show_the_same(flow: Flow) -> None:
    text = mermaid(flow)
    shapes = re.findall(r'^    (\w+)\S*?[\[(]+"([^"<]*)', text, re.MULTILINE)
    arrows = re.findall(r"^    (\w+) (?:-->|(-\. .* \.->)) (\w+)$", text, re.MULTILINE)
    found = drawn(flow)
    assert [id for id, _ in shapes] == [box.vertex.id for box in found.boxes]
    assert [name for _, name in shapes] == [box.vertex.name for box in found.boxes]
    assert [(source, target, bool(how)) for source, how, target in arrows] == [
        (line.edge.source, line.edge.target, line.edge.condition is not None) for line in found.lines
    ]


def test_a_straight_flow_is_drawn_straight() -> None:
    found = drawn(flow_of({"a": [], "b": ["a"], "c": ["b"]}, inputs={"question": ["a"]}))
    assert len({box.x + box.width // 2 for box in found.boxes}) == 1


def test_two_ways_do_not_cross_when_they_need_not() -> None:
    found = drawn(flow_of({"a": [], "b": [], "x": ["b"], "y": ["a"], "end": ["x", "y"]}))
    at = {box.vertex.name: box.x for box in found.boxes}
    assert (at["a"] < at["b"]) == (at["y"] < at["x"])


def test_an_input_stands_right_above_who_reads_it_first() -> None:
    found = drawn(flow_of({"a": [], "b": ["a"], "c": ["b"]}, inputs={"late": ["c"], "early": ["a"]}))
    at = {box.vertex.name: box.y for box in found.boxes}
    assert at["late"] == at["b"]
    assert at["early"] < at["a"]


def test_inputs_that_nobody_reads_stand_below_each_other() -> None:
    unread: dict[str, list[str]] = {f"unread_{n}": [] for n in range(3)}
    found = drawn(flow_of({"a": [], "b": ["a"]}, inputs=unread))
    at = {box.vertex.name: (box.x, box.y) for box in found.boxes}
    assert len({at[name][1] for name in unread}) == 3
    assert all(at[name][0] > at["a"][0] for name in unread)


def test_long_names_are_cut_and_conditions_are_written() -> None:
    found = drawn(flow_of({"ask": [], "n" * 300: ["ask"]}, asks={"n" * 300: "ask"}))
    assert max(len(box.label) for box in found.boxes) == MOST_CHARS
    assert [line.label for line in found.lines] == ["", "is True", ""]


def test_a_flow_of_nothing_is_an_empty_drawing() -> None:
    assert drawn(flow_of({})) == Drawing(0, 0, (), ())


@given(NAMES)
def test_any_name_can_be_drawn(name: str) -> None:
    assert drawn(flow_of({name: []})).boxes[0].vertex.name == name
