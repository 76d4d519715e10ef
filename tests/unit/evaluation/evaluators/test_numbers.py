"""Labels and numbers, against scikit-learn's values and cases computed by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from opsloop.evaluation.errors import CannotScore
from tests.unit.evaluation.evaluators.scores import figures, score


def test_a_label_is_compared_without_case_and_blanks() -> None:
    assert score("classification", answer=" Spam\n", truth="spam") == 1.0
    assert score("classification", {"case_sensitive": True}, answer="Spam", truth="spam") == 0.0


def test_an_answer_that_is_no_known_label_cannot_be_scored() -> None:
    with pytest.raises(CannotScore, match="wanted one of spam, ham"):
        score("classification", {"labels": ["spam", "ham"]}, answer="I think it is spam", truth="spam")


def test_precision_recall_and_f1_are_those_of_the_table() -> None:
    # scikit-learn's user guide, classification_report: y_true 0 1 2 2 0, y_pred 0 0 2 1 0.
    rows = [{"truth": true, "answer": found} for true, found in zip("01220", "00210", strict=True)]
    found = figures("classification", rows)
    assert found["precision.0"] == pytest.approx(2 / 3)
    assert found["recall.0"] == 1.0
    assert found["f1.0"] == pytest.approx(0.8)
    assert (found["precision.1"], found["recall.1"], found["f1.1"]) == (0.0, 0.0, 0.0)
    assert (found["precision.2"], found["recall.2"]) == (1.0, 0.5)
    assert found["f1.2"] == pytest.approx(2 / 3)
    assert found["macro_f1"] == pytest.approx((0.8 + 0 + 2 / 3) / 3)


def test_a_failed_row_is_a_miss_of_its_label_and_no_find_of_another() -> None:
    found = figures("classification", [{"truth": "a", "answer": "a"}, {"truth": "a", "answer": None}])
    assert (found["recall.a"], found["precision.a"]) == (0.5, 1.0)


def test_a_label_that_is_never_given_has_no_precision() -> None:
    found = figures("classification", [{"truth": "a", "answer": "b"}, {"truth": "b", "answer": "b"}])
    assert math.isnan(found["precision.a"])
    assert found["f1.a"] == 0.0
    assert found["macro_f1"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("answer", "expected"), [(4800, 12.0), ("4,800", 12.0), ("$4,812.00", 0.0), (" 4.812e3 ", 0.0), ("-3 %", 4815.0)]
)
def test_the_absolute_error_is_in_the_unit_of_the_truth(answer: Any, expected: float) -> None:
    assert score("absolute_error", answer=answer, truth=4812) == pytest.approx(expected)


@pytest.mark.parametrize(
    "answer", ["about 12", "", "NaN", float("nan"), float("inf"), True, None, [1], "1.2.3", "1e999"]
)
def test_what_is_no_number_is_not_measured_as_one(answer: Any) -> None:
    with pytest.raises(CannotScore):
        score("absolute_error", answer=answer, truth=1)


def test_the_relative_error_is_a_share_of_the_truth() -> None:
    assert score("relative_error", answer=90, truth=100) == pytest.approx(0.1)
    assert score("relative_error", answer=0, truth=0) == 0.0
    with pytest.raises(CannotScore, match="absolute_error"):
        score("relative_error", answer=1, truth=0)


def test_a_number_matches_within_what_is_allowed() -> None:
    assert score("numeric_match", answer="10.4", truth=10) == 0.0
    assert score("numeric_match", {"absolute": 0.5}, answer="10.4", truth=10) == 1.0
    assert score("numeric_match", {"relative": 0.05}, answer="10.4", truth=10) == 1.0


def test_the_root_mean_square_error_is_of_all_rows() -> None:
    rows = [{"answer": 1, "truth": 4}, {"answer": 4, "truth": 0}]
    assert figures("absolute_error", rows)["rmse"] == pytest.approx(math.sqrt((9 + 16) / 2))


def test_tokens_and_costs_that_are_not_known_are_not_nothing() -> None:
    assert score("cost", cost_usd=0.25) == 0.25
    assert score("tokens", prompt_tokens=3, completion_tokens=4) == 7.0
    with pytest.raises(CannotScore, match="has no price"):
        score("cost", cost_usd=None)
    with pytest.raises(CannotScore, match="not known"):
        score("tokens", prompt_tokens=None, completion_tokens=None)
