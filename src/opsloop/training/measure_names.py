"""The figures that a trained model is measured by."""

from __future__ import annotations

REGRESSION = ("mse", "rmse", "mae", "r2")
CLASSIFICATION = (
    "accuracy",
    "balanced_accuracy",
    "f1_macro",
    "roc_auc",
    "log_loss",
    "brier",
    "expected_calibration_error",
)
METRICS = (*CLASSIFICATION, *REGRESSION)
HIGHER_IS_BETTER = frozenset({"accuracy", "balanced_accuracy", "f1_macro", "roc_auc", "r2"})
NEED_PROBABILITIES = frozenset({"roc_auc", "log_loss", "brier", "expected_calibration_error"})
