from __future__ import annotations

import pytest

from opsloop.monitoring.performance.figures import figures, wilson


def test_accuracy_and_f1_of_classes_by_hand() -> None:
    accuracy, f1 = figures("classification", ["a", "a", "b", "b"], ["a", "b", "b", "b"])
    assert accuracy.value == 0.75
    # a: 2·1 / (1 + 2); b: 2·2 / (3 + 2)
    assert f1.value == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert f1.low is not None
    assert f1.high is not None
    assert f1.low <= f1.value <= f1.high


def test_wilsons_interval_as_published() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263.
    low, high = wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_errors_of_numbers_by_hand() -> None:
    mse, mae, r2 = figures("regression", [1.0, 2.0, 3.0], [1.0, 2.0, 5.0])
    assert [mse.value, mae.value, r2.value] == pytest.approx([4 / 3, 2 / 3, -1.0])


def test_one_row_has_figures_without_intervals() -> None:
    (mse, mae) = figures("regression", [1.0], [2.0])
    assert (mse.value, mse.low, mae.value, mae.high) == (1.0, None, 1.0, None)


def test_the_same_rows_give_the_same_figures() -> None:
    labels, predicted = [float(n % 7) for n in range(50)], [float(n % 5) for n in range(50)]
    assert figures("regression", labels, predicted) == figures("regression", labels, predicted)


def test_no_rows_have_no_figures() -> None:
    assert figures("classification", [], []) == []
