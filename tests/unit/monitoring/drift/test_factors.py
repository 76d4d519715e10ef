from __future__ import annotations

import numpy as np
import pytest

from opsloop.monitoring.drift.columns import number_column
from opsloop.monitoring.drift.factors import factor_of

HEIGHTS = number_column("height", np.random.default_rng(0).normal(170, 10, 5000))
CENTRED = number_column("deviation", np.random.default_rng(1).normal(0, 1, 5000))
fresh = np.random.default_rng(2).normal(170, 10, 20)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1 / 2.54, "2.54 times smaller"),
        (0.01, "100 times smaller"),
        (10.0, "10 times as large"),
        (-1.0, "negated"),
    ],
)
def test_another_unit_is_named(factor: float, words: str) -> None:
    found = factor_of(HEIGHTS, fresh * factor)
    assert found is not None
    assert found.words.startswith(words)


def test_degrees_are_told_from_a_factor() -> None:
    celsius = number_column("temperature", np.random.default_rng(3).normal(15, 5, 5000))
    found = factor_of(celsius, np.random.default_rng(4).normal(15, 5, 30) * 1.8 + 32)
    assert found is not None
    assert found.words == "like °F instead of °C"


def test_a_factor_on_a_column_around_nought_is_seen_by_its_spread() -> None:
    found = factor_of(CENTRED, np.random.default_rng(5).normal(0, 10, 30))
    assert found is not None
    assert found.words.startswith("10 times as large")


@pytest.mark.parametrize("shift", [0.0, 5.0, 25.0])
def test_a_shift_is_no_change_of_unit(shift: float) -> None:
    found = factor_of(HEIGHTS, np.random.default_rng(6).normal(170 + shift, 10, 200))
    assert found is None


def test_two_rows_are_no_evidence_of_a_unit() -> None:
    assert factor_of(HEIGHTS, fresh[:2] * 10) is None
