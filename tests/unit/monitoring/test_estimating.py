from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from opsloop.monitoring.performance.estimating import NoEstimate, estimated

NUMBERS = (True, False)


def world(rng: np.random.Generator, count: int, share_hard: float) -> tuple[list[list[Any]], list[float]]:
    """Rows of two kinds; on the hard ones, around 3, the model is wrong in four of ten, else in one of fifty."""
    hard = rng.random(count) < share_hard
    rows = [[float(rng.normal(3 if each else 0, 0.5)), "b" if each else "a"] for each in hard]
    wrong = [float(rng.random() < (0.4 if each else 0.02)) for each in hard]
    return rows, wrong


def accuracy(share_hard: float, *, seed: int = 0) -> tuple[float, float, float]:
    rng = np.random.default_rng(seed)
    reference, losses = world(rng, 900, 0.2)
    served, _ = world(rng, 500, share_hard)
    return estimated(reference, losses, served, are_numbers=NUMBERS, validated=0.904, higher_is_better=True)


def test_traffic_as_in_validation_is_expected_to_do_as_in_validation() -> None:
    value, low, high = accuracy(0.2)
    assert low <= 0.904 <= high
    assert value == pytest.approx(0.904, abs=0.03)


def test_traffic_that_moved_to_where_the_model_is_weak_is_expected_to_do_worse() -> None:
    # Right in 0.6 of the hard rows and 0.98 of the others: 0.752 at six of ten.
    value, low, high = accuracy(0.6)
    assert value == pytest.approx(0.752, abs=0.05)
    assert low < value < high


def test_squared_errorsrow_where_rows_move_to_larger_ones() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 1, 600)
    reference = [[float(each), "a"] for each in x]
    losses = [float(each) for each in 4 * x]  # the mean is 2
    served = [[float(each), "a"] for each in rng.uniform(0.5, 1, 300)]  # and 3 here
    value, _, _ = estimated(reference, losses, served, are_numbers=NUMBERS, validated=2.0, higher_is_better=False)
    assert value == pytest.approx(3.0, abs=0.2)


def test_missing_values_do_not_stop_an_estimate() -> None:
    rng = np.random.default_rng(2)
    reference, losses = world(rng, 300, 0.3)
    served: list[list[Any]] = [[None, "a"]] * 40
    value, _, _ = estimated(reference, losses, served, are_numbers=NUMBERS, validated=0.9, higher_is_better=True)
    assert 0 <= value <= 1


def test_too_few_rows_give_no_estimate() -> None:
    with pytest.raises(NoEstimate, match="too few to say"):
        estimated([[1.0, "a"]] * 99, [0.0] * 99, [[1.0, "a"]] * 99, are_numbers=NUMBERS, validated=0.9, higher_is_better=True)  # fmt: skip  # noqa: E501


def test_a_model_that_is_never_wrong_on_its_reference_gives_no_estimate() -> None:
    rows = [[float(n), "a"] for n in range(200)]
    with pytest.raises(NoEstimate, match="never wrong"):
        estimated(rows, [0.0] * 200, rows, are_numbers=NUMBERS, validated=0.9, higher_is_better=True)
