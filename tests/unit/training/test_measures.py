"""Figures against cases computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from opsloop.training.measures import Predicted, brier, expected_calibration_error, measured


def test_figures_of_a_regression() -> None:
    found = measured(np.array([1.0, 2.0, 3.0]), Predicted(np.array([1.0, 3.0, 5.0])))
    assert found == pytest.approx({"mse": 5 / 3, "rmse": (5 / 3) ** 0.5, "mae": 1.0, "r2": 1 - 5 / 2})


def test_figures_of_a_classification() -> None:
    y = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]])
    found = measured(y, Predicted(probabilities.argmax(axis=1), probabilities), classes=np.array([0, 1]))
    assert found["accuracy"] == 0.75
    assert found["balanced_accuracy"] == 0.75
    assert found["f1_macro"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert found["roc_auc"] == 1.0
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.8, 0.7]).mean())
    assert found["brier"] == pytest.approx(2 * (0.01 + 0.36 + 0.04 + 0.09) / 4)


def test_brier_of_three_classes_sums_over_them() -> None:
    assert brier(np.array([2]), np.array([[0.2, 0.3, 0.5]])) == pytest.approx(0.04 + 0.09 + 0.25)


def test_calibration_error_is_the_gap_of_confidence_and_truth() -> None:
    probabilities = np.array([[0.2, 0.8]] * 10)
    codes = np.array([1] * 6 + [0] * 4)
    assert expected_calibration_error(codes, probabilities) == pytest.approx(0.2)
    assert expected_calibration_error(np.array([1] * 8 + [0] * 2), probabilities) == pytest.approx(0.0)


def test_a_model_without_probabilities_has_no_figures_of_them() -> None:
    found = measured(np.array(["a", "b"]), Predicted(np.array(["a", "a"])), classes=np.array(["a", "b"]))
    assert found == {"accuracy": 0.5, "balanced_accuracy": 0.5, "f1_macro": pytest.approx(1 / 3)}


def test_weights_count_rows() -> None:
    y, values, weights = np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([1.0, 3.0, 4.0])
    found = measured(y, Predicted(values), classes=np.array([0, 1]), weights=weights)
    assert found["accuracy"] == 5 / 8
    assert found["balanced_accuracy"] == pytest.approx((1 + 4 / 7) / 2)
