"""The `gate:` of an experiment: what it may say, and sentences for what is wrong in it."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.gate_declaration import check_columns, parse_gate
from opsloop.evaluation.models import GateSpec
from opsloop.evaluation.rules import Rule

X = {"metric": "x", "at_least": 0.5}


def test_every_kind_of_rule_is_read() -> None:
    spec = parse_gate(
        {
            "key": "id",
            "cluster_by": "conversation",
            "max_failed": 0.1,
            "max_missing": 0,
            "slices": {"long": "length(question) > 200", "german": {"language": "de"}},
            "rules": [
                {"metric": "right", "no_flips": True, "most_flips": 2, "pass_at": 0.5},
                {"metric": "f1", "margin": 0.02, "slice": "each", "min_rows": 50},
                {"metric": "f1", "better_by": 0, "slice": "long"},
                {"metric": "cost", "margin_pct": 10},
                {"metric": "latency", "quantile": 0.95, "at_most": 2000},
            ],
        }
    )
    assert spec.rules == (
        Rule("right", no_flips=True, most_flips=2, pass_at=0.5),
        Rule("f1", margin=0.02, slice="each", min_rows=50),
        Rule("f1", better_by=0.0, slice="long"),
        Rule("cost", margin_pct=10.0),
        Rule("latency", quantile=0.95, at_most=2000.0),
    )
    assert (spec.key, spec.cluster_by, spec.max_failed, spec.max_missing) == ("id", "conversation", 0.1, 0.0)
    assert list(spec.slices) == ["long", "german"]


def test_what_is_not_said_has_safe_defaults() -> None:
    spec = parse_gate({"rules": [X]})
    assert spec == GateSpec(rules=(Rule("x", at_least=0.5),))
    assert (spec.alpha, spec.max_failed, spec.max_missing) == (0.05, 0.2, None)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"rules": [X], "slice": {}}, ["gate.slice", "did you mean 'slices'"]),
        ({"rules": [X], "slices": {"each": "a > 1"}}, ["gate.slices", "every slice"]),
        ({"rules": [X], "slices": {"long": "import os"}}, ["gate.slices.long", "a condition such as"]),
        ({"rules": [{**X, "slice": "lang"}], "slices": {"long": "a > 1"}}, ["gate.rules[0].slice", "mean 'long'"]),
        ({"rules": [{**X, "quantile": 95}]}, ["gate.rules[0]", "a share above 0 and below 1"]),
        ({"rules": [{"metric": "x", "margin": 0.1, "quantile": 0.9}]}, ["gate.rules[0]", "with at_least or at_most"]),
        ({"rules": [{**X, "no_flips": True}]}, ["gate.rules[0]", "exactly one of"]),
        ({"rules": [{"metric": "x", "no_flips": False}]}, ["gate.rules[0]", "exactly one of"]),
        ({"rules": [{"metric": "x", "no_flips": "yes"}]}, ["gate.rules[0].no_flips", "true or false"]),
        ({"rules": [{**X, "most_flips": 2}]}, ["gate.rules[0]", "beside no_flips"]),
        ({"rules": [{**X, "most_flips": -1}]}, ["gate.rules[0].most_flips", "a whole number from 0"]),
        ({"rules": [{"metric": "x", "better_by": -1}]}, ["gate.rules[0]", "0 or more"]),
        ({"rules": [{"metric": "x", "margin_pct": -1}]}, ["gate.rules[0]", "0 or more"]),
        ({"rules": [X], "max_failed": 1.5}, ["gate.max_failed", "from 0 to 1"]),
        ({"rules": [X], "max_missing": "all"}, ["gate.max_missing", "a number"]),
    ],
)
def test_a_wrong_gate_gives_a_sentence_with_the_key_path(values: dict[str, Any], expected: list[str]) -> None:
    with pytest.raises(ExperimentInvalid) as caught:
        parse_gate(values)
    assert all(part in caught.value.sentence for part in expected), caught.value.sentence


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cluster_by": "conversaton"}, r"gate\.cluster_by.*did you mean 'conversation'"),
        ({"key": "id"}, r"gate\.key"),
        ({"slices": {"long": "length(queston) > 3"}}, r"gate\.slices\.long.*did you mean 'question'"),
    ],
)
def test_a_column_that_no_dataset_has_is_named(changes: dict[str, Any], field: str) -> None:
    spec = parse_gate({"rules": [X], **changes})
    with pytest.raises(ExperimentInvalid, match=field):
        check_columns(spec, ["question", "conversation"])
    check_columns(parse_gate({"rules": [X], "slices": {"g": {"dataset": "golden"}}}), ["question"])
    check_columns(None, [])
