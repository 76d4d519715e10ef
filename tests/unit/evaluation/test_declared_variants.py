"""Which runs an experiment makes of a flow's variants."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsloop.evaluation.declared_variants import chosen_in, names_of, parse
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.models import By
from opsloop.flows.models import Flow, Node, NodeVariants


def flow(**nodes: list[str]) -> Flow:
    """A flow whose nodes have these variants, the first the default."""
    ways = {
        name: NodeVariants(ids[0], {each: Node(name=name, type="llm") for each in ids}) for name, ids in nodes.items()
    }
    return Flow(name="f", folder=Path(), file="flow.dag.yaml", inputs={}, outputs={}, nodes=(), variants=ways)


TWO = flow(ask=["v0", "v1", "v2"], tidy=["a", "b"])


@pytest.mark.parametrize(
    ("declared", "names"),
    [
        ("defaults", [""]),
        ("*", ["", "ask.v1", "ask.v2", "tidy.b"]),
        (["ask.v1", "b"], ["ask.v1", "tidy.b"]),
        ("ask.v2,tidy.a", ["ask.v2", ""]),
        (
            {"select": "*", "by": "full_factorial"},
            ["", "tidy.b", "ask.v1", "ask.v1, tidy.b", "ask.v2", "ask.v2, tidy.b"],
        ),
        ({"select": ["v1"], "by": "full_factorial"}, ["ask.v1"]),
    ],
)
def test_runs_are_named_after_what_is_not_the_default(declared: object, names: list[str]) -> None:
    assert names_of(parse(declared, "variants"), TWO) == names


def test_a_name_says_which_variants_it_stands_for() -> None:
    assert chosen_in("ask.v1, tidy.b") == {"ask": "v1", "tidy": "b"}
    assert chosen_in("") == {}


def test_a_flow_without_variants_runs_once() -> None:
    assert names_of(parse("*", "variants"), flow()) == [""]


def test_halving_needs_to_know_by_what() -> None:
    with pytest.raises(ExperimentInvalid, match=r"variants\.metric"):
        parse({"by": "successive_halving"}, "variants")
    spec = parse({"by": "successive_halving", "metric": "f1", "bounds": [1, 5]}, "variants")
    assert spec is not None
    assert (spec.by, spec.low, spec.high) == (By.SUCCESSIVE_HALVING, 1.0, 5.0)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (["ask.v9"], "did you mean 'ask.v"),
        (3, "defaults"),
        ([], "a list of names"),
        ({"by": "halving"}, "one_by_one"),
        ({"bounds": [1, 0]}, "the lower first"),
        ({"alpha": 0.9}, "below 0.5"),
    ],
)
def test_wrong_variants_are_refused(declared: object, expected: str) -> None:
    with pytest.raises(ExperimentInvalid, match=expected):
        names_of(parse(declared, "variants"), TWO)


def test_combinations_without_end_are_refused() -> None:
    many = flow(**{f"n{number}": [str(each) for each in range(5)] for number in range(4)})
    with pytest.raises(ExperimentInvalid, match="at most 64 combinations of variants; these are 625"):
        names_of(parse({"by": "full_factorial"}, "variants"), many)
