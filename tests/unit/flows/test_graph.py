from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from opsloop.flows.errors import FlowInvalid
from opsloop.flows.graph import in_order, mermaid
from opsloop.flows.models import Activate, Flow, FlowInput, FlowOutput, Node, Reference, ValueType


def flow_of(needs: dict[str, list[str]]) -> Flow:
    nodes = tuple(
        Node(name, "python", inputs={f"i{n}": Reference(need, "output") for n, need in enumerate(each)})
        for name, each in needs.items()
    )
    return Flow("f", Path(), "flow.dag.yaml", {}, {}, nodes)


@given(st.permutations(list(range(6))), st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_each_node_comes_after_those_it_waits_for(order: list[int], pairs: set[tuple[int, int]]) -> None:
    needs = {str(name): [str(need) for a, need in pairs if a == name and need < name] for name in order}
    found = in_order(flow_of(needs))
    assert sorted(found) == sorted(needs)
    assert all(found.index(need) < found.index(name) for name, each in needs.items() for need in each)


def test_a_cycle_is_named_in_the_direction_of_the_data() -> None:
    needs = {"start": [], "a": ["start", "c"], "b": ["a"], "c": ["b"], "end": ["c"]}
    with pytest.raises(FlowInvalid, match=r"a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c"):
        in_order(flow_of(needs))


def test_a_node_that_waits_for_itself_is_a_cycle() -> None:
    with pytest.raises(FlowInvalid, match="a -> a"):
        in_order(flow_of({"a": ["a"]}))


def test_mermaid_draws_inputs_nodes_conditions_and_outputs() -> None:
    ask = Node("ask", "llm", inputs={"q": Reference(None, "question")})
    check = Node(
        "check", "python", activate=Activate(Reference("ask", "output"), True), inputs={"x": Reference("ask", "o")}
    )
    score = Node("score", "python", aggregation=True, inputs={"x": Reference("check", "output")})
    flow = Flow(
        "f",
        Path(),
        "flow.dag.yaml",
        {"question": FlowInput("question")},
        {"answer": FlowOutput("answer", ValueType.STRING, Reference("ask", "output"))},
        (ask, check, score),
    )
    assert mermaid(flow) == snapshot("""\
flowchart TD
    in_0(["question"])
    n0["ask<br/><i>llm</i>"]
    n1["check<br/><i>python</i>"]
    n2[["score<br/><i>python</i>"]]
    out_0(["answer"])
    in_0 --> n0
    n0 --> n1
    n0 -. "is True" .-> n1
    n1 --> n2
    n0 --> out_0
""")


def test_names_cannot_break_out_of_a_label() -> None:
    flow = Flow("f", Path(), "f", {'a"]; click x "javascript:': FlowInput("x")}, {}, ())
    assert '"]; click' not in mermaid(flow)
