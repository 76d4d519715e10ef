"""The figures of an answer: those that are wanted, and where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.evaluation.errors import CannotScore, ExperimentInvalid
from opsloop.evaluation.evaluators import registry
from opsloop.evaluation.evaluators.figures import figure_support, figures
from opsloop.rag.text.figures import figures_in


def written(value: object) -> Iterator[str]:
    return (each.written for each in figures_in(value))


def test_figures_are_numbers_as_people_write_them_and_dates() -> None:
    said = "In 2025-06 (from 2025-06-01) 4,812 tickets came in, 6.3 % more; 12,34 is no thousand, v2 is 2."
    assert list(written(said)) == ["2025-06", "2025-06-01", "4812", "6.3", "12", "34", "2", "2"]


def test_figures_stand_in_lists_and_objects_but_not_in_their_keys_or_flags() -> None:
    assert list(written({"q1": [1, 2.5, None, True], "text": "three, 4"})) == ["1", "2.5", "4"]


@pytest.mark.parametrize(
    ("truth", "answer", "score"),
    [
        (["4,812", "6.3 %"], "4812 tickets, 6.30 % more", 1.0),
        (["4,812", "6.3 %"], "4,812 tickets, 6.4 % more", 0.5),
        (["96"], "96.1 % of them", 0.0),
        (["2025-06"], "in 2025-06", 1.0),
        (["2025-06"], "in 2025-07", 0.0),
        ("3.1 less", "by -3.1", 1.0),
        (7, "seven", 0.0),
    ],
)
def test_the_wanted_figures_are_looked_for_as_they_are(truth: Any, answer: str, score: float) -> None:
    assert figures({})({"truth": truth, "answer": answer}) == score


def test_a_row_that_wants_no_figure_is_not_measured() -> None:
    assert figures({})({"truth": "none at all", "answer": "7"}) is None


def test_an_experiment_can_want_all_of_them_at_once() -> None:
    score = figures({"all": True})
    assert score({"truth": ["4", "5"], "answer": "5, 4"}) == 1.0
    assert score({"truth": ["4", "5"], "answer": "5, 6"}) == 0.0
    with pytest.raises(ExperimentInvalid, match="true or false"):
        figures({"all": "yes"})


@pytest.mark.parametrize(
    ("answer", "source", "score"),
    [
        ("96.1 %, and 4,812 in all", {"share": 96.13, "all": 4812}, 1.0),
        ("96.2 %, and 4,812 in all", {"share": 96.13, "all": 4812}, 0.5),
        ("about 0.1", [0.15, 0.25], 0.0),
        ("about 0.2", [0.15], 1.0),
        ("on 30 June 2025", {"day": "2025-06-30"}, 1.0),
        ("in 2025-06", "in 2025-06", 1.0),
        ("1e3 of them", [1000], 0.0),
    ],
)
def test_an_answers_figures_stand_in_the_source_rounded_or_not(answer: str, source: Any, score: float) -> None:
    assert figure_support({"answer": answer, "source": source}) == score


def test_an_answer_without_figures_claims_none() -> None:
    assert figure_support({"answer": "It went well.", "source": [1]}) is None


def test_an_answer_that_is_no_text_cannot_be_scored() -> None:
    with pytest.raises(CannotScore, match="answer is"):
        figure_support({"answer": ["4"], "source": [4]})


def test_figures_of_any_length_are_read() -> None:
    long = "9" * 5_000
    assert figure_support({"answer": f"{long} and 0.{long}", "source": [long]}) == 0.5


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**12, places=3))
def test_a_figure_rounded_to_fewer_places_is_supported(value: Decimal) -> None:
    rounded = f"{value:,.1f}"
    assert figure_support({"answer": rounded, "source": [str(value)]}) == 1.0


def test_both_are_evaluators_that_an_experiment_can_name() -> None:
    assert {"figures", "figure_support"} <= set(registry.known())
