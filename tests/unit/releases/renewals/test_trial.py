"""The rows a challenger is judged by, and the gate over them."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.evaluation.experiment import parse
from opsloop.models.signature import Field, FieldType, Output, Signature, Task
from opsloop.releases.renewal_policy import CompareOn
from opsloop.releases.renewal_policy import parse as policy_of
from opsloop.releases.renewals.trial import Lessons, Trial, chosen, constant_share, experiment

SIGNS = Signature((Field("a", FieldType.NUMBER),), Output("same", Task.CLASSIFICATION, ("no", "yes")))
PRICES = Signature((Field("a", FieldType.NUMBER),), Output("price", Task.REGRESSION))


def rows(first: int, last: int, label: str = "yes") -> list[dict[str, Any]]:
    return [{"a": float(number), "same": label} for number in range(first, last)]


def numbers(found: Any) -> set[int]:
    return {int(row["a"]) for row in found}


def test_rows_that_neither_learned_from_judge() -> None:
    champion = Lessons(rows(0, 200), rows(200, 300))
    challenger = Lessons([*rows(0, 180), *rows(300, 500)], rows(500, 600))
    trial = chosen(champion, challenger, SIGNS, CompareOn.BOTH)
    assert (numbers(trial.old), numbers(trial.new)) == (set(range(200, 300)), set(range(500, 600)))
    assert trial.notes == ()


def test_what_the_other_learned_from_is_left_out_while_enough_is_left() -> None:
    trial = chosen(
        Lessons(rows(0, 200), rows(200, 300)),
        Lessons([*rows(0, 200), *rows(200, 230)], rows(500, 600)),
        SIGNS,
        CompareOn.BOTH,
    )
    assert numbers(trial.old) == set(range(230, 300))


def test_where_too_little_is_left_that_is_told() -> None:
    trial = chosen(Lessons(rows(0, 200), rows(200, 300)), Lessons(rows(0, 290), rows(500, 600)), SIGNS, CompareOn.BOTH)
    assert numbers(trial.old) == set(range(200, 300))
    assert trial.notes == ("the other model learned from some of the 100 rows that the champion held out",)


def test_of_a_model_that_held_nothing_out_all_rows_judge() -> None:
    trial = chosen(Lessons(rows(0, 80)), Lessons(rows(0, 80), rows(200, 300)), SIGNS, CompareOn.BOTH)
    assert numbers(trial.old) == set(range(80))
    assert "learned from most of the 80 rows" in trial.notes[0]


def test_a_row_with_another_label_is_another_row() -> None:
    champion = Lessons(rows(0, 100), rows(100, 200))
    challenger = Lessons(rows(0, 200, "no"), rows(500, 600))
    assert numbers(chosen(champion, challenger, SIGNS, CompareOn.BOTH).old) == set(range(100, 200))


def test_whole_numbers_are_the_same_whatever_type_a_column_has() -> None:
    champion = Lessons([], [{"a": number, "same": "yes"} for number in range(100)])
    challenger = Lessons(rows(0, 40), rows(500, 600))
    assert numbers(chosen(champion, challenger, SIGNS, CompareOn.BOTH).old) == set(range(40, 100))


def test_the_new_rows_alone_judge_where_that_is_wanted() -> None:
    trial = chosen(Lessons(rows(0, 200), rows(200, 300)), Lessons(rows(0, 200), rows(500, 600)), SIGNS, CompareOn.NEW)
    assert (trial.old, set(trial.parts)) == ([], {"new"})


def test_nothing_known_is_no_trial() -> None:
    assert chosen(None, Lessons(), SIGNS, CompareOn.BOTH) == Trial([], [])


def test_a_constant_is_right_where_most_rows_have_its_label() -> None:
    assert constant_share([*rows(0, 30), *rows(0, 70, "no")], "same") == 0.7


PARTS = {"old": "renewal-signs-old@1", "new": "renewal-signs-new@1"}


@pytest.mark.parametrize("signature", [SIGNS, PRICES])
@pytest.mark.parametrize("constant", [None, 0.6])
@pytest.mark.parametrize("parts", [PARTS, {"golden": "golden@3"}])
def test_what_is_asked_is_an_experiment(signature: Signature, constant: float | None, parts: dict[str, str]) -> None:
    policy = policy_of({"pipeline": "signs"})
    found = parse(experiment(policy, signature, parts, name="renewal", constant=constant))
    assert found.gate is not None
    assert len(found.datasets) == len(parts)


def test_the_default_gate_judges_old_rows_and_new_ones_each_for_themselves() -> None:
    policy = policy_of({"pipeline": "signs", "margin": 0.02})
    found = parse(experiment(policy, SIGNS, PARTS, name="renewal", constant=None))
    assert found.gate is not None
    assert [(rule.metric, rule.margin, rule.slice) for rule in found.gate.rules] == [
        ("classification", 0.02, "old rows"),
        ("classification", 0.02, "new rows"),
    ]


def test_an_error_may_grow_by_a_share_of_the_champions() -> None:
    found = parse(experiment(policy_of({"pipeline": "x"}), PRICES, PARTS, name="renewal", constant=None))
    assert found.gate is not None
    assert {(rule.metric, rule.margin_pct) for rule in found.gate.rules} == {("absolute_error", 5.0)}


def test_a_first_version_must_beat_the_constant_beside_what_is_declared() -> None:
    declared = {
        "pipeline": "x",
        "evaluators": ["classification", "brier"],
        "gate": {"rules": [{"metric": "brier", "at_most": 0.2}]},
    }
    found = parse(experiment(policy_of(declared), SIGNS, PARTS, name="renewal", constant=0.6))
    assert found.gate is not None
    assert [(rule.metric, rule.at_least) for rule in found.gate.rules] == [("brier", None), ("classification", 0.6)]
