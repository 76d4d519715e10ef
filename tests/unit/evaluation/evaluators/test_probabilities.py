"""Measures of what trained models say: probabilities, intervals, squared errors."""

from __future__ import annotations

import math

import pytest

from opsloop.evaluation.errors import CannotScore

from .scores import figures, score

SCORES = {"setosa": 0.7, "versicolor": 0.2, "virginica": 0.1}


def test_the_log_loss_is_of_the_probability_of_the_true_class() -> None:
    assert score("log_loss", scores=SCORES, truth="setosa") == pytest.approx(-math.log(0.7))
    assert score("log_loss", scores={"0": 0.25, "1": 0.75}, truth=1) == pytest.approx(-math.log(0.75))


def test_one_sure_mistake_does_not_make_the_log_loss_infinite() -> None:
    assert score("log_loss", scores={"a": 0.0, "b": 1.0}, truth="a") == pytest.approx(-math.log(1e-15))
    assert score("log_loss", scores={"a": 0.0, "b": 1.0}, truth="c") == pytest.approx(-math.log(1e-15))


def test_the_brier_score_of_two_classes_is_the_squared_distance() -> None:
    assert score("brier", scores={"0": 0.3, "1": 0.7}, truth=1) == pytest.approx(0.09)


def test_the_brier_score_lies_between_0_and_1_for_any_number_of_classes() -> None:
    assert score("brier", scores=SCORES, truth="setosa") == pytest.approx((0.09 + 0.04 + 0.01) / 2)
    assert score("brier", scores={"a": 1.0, "b": 0.0, "c": 0.0}, truth="b") == 1.0
    assert score("brier", scores={"a": 1.0, "b": 0.0}, truth="unknown") == 1.0


@pytest.mark.parametrize("scores", [None, {}, [0.5, 0.5], {"a": 0.5, "b": 0.6}, {"a": 1.2, "b": -0.2}, {"a": "x"}])
@pytest.mark.parametrize("name", ["log_loss", "brier"])
def test_what_is_no_probabilities_cannot_be_measured(name: str, scores: object) -> None:
    with pytest.raises(CannotScore, match="scores"):
        score(name, scores=scores, truth="a")


def test_an_interval_covers_what_lies_within() -> None:
    assert score("interval_coverage", interval={"low": 1.0, "high": 3.0}, truth=3) == 1.0
    assert score("interval_coverage", interval={"low": 1.0, "high": 3.0}, truth=3.1) == 0.0
    assert score("interval_coverage", interval=[0, 2], truth="2") == 1.0
    assert score("interval_coverage", interval=["a"], truth="b") == 0.0
    with pytest.raises(CannotScore, match="interval"):
        score("interval_coverage", interval=3, truth=3)


def test_beside_the_coverage_stands_how_much_was_said_to_cover() -> None:
    rows = [{"interval": {"low": 1.0, "high": 3.0}, "truth": 2}, {"interval": {"low": 0.0, "high": 4.0}, "truth": 9}]
    assert figures("interval_coverage", rows) == {"size": 3.0}
    assert figures("interval_coverage", [{"interval": [0, 1, 2], "truth": 1}]) == {"size": 3.0}


def test_r2_tells_how_much_of_the_spread_is_explained() -> None:
    truths = (1_000_001.0, 1_000_002.0, 1_000_003.0)
    exact = [{"answer": each, "truth": each} for each in truths]
    mean = [{"answer": 1_000_002.0, "truth": each} for each in truths]
    assert figures("squared_error", exact) == {"r2": 1.0}
    assert figures("squared_error", mean) == {"r2": pytest.approx(0.0)}
    assert score("squared_error", answer=3, truth=1) == 4.0


def test_r2_of_a_truth_without_spread_is_not_defined() -> None:
    found = figures("squared_error", [{"answer": 1, "truth": 2}, {"answer": 2, "truth": 2}])
    assert math.isnan(found["r2"])
