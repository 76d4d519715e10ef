from __future__ import annotations

import math

import numpy as np
import pytest

from opsloop.evaluation.statistics.power import rows_for_gap, rows_without_event


def test_the_textbook_sample_size_is_found() -> None:
    # ((1.6449 + 0.8416) / 0.5)^2 = 24.7: one-sided 5 %, power 80 %, an effect of half a standard deviation.
    assert rows_for_gap(0.5, 1.0, 0.05) == 25
    assert rows_for_gap(-0.5, 1.0, 0.05) == 25


def test_the_rule_of_three_is_exact() -> None:
    assert rows_without_event(0.05, 0.05) == 59
    assert rows_without_event(1.0, 0.05) == 1


@pytest.mark.parametrize("gap", [0.0, 1e-6])
def test_no_affordable_number_of_rows_decides_a_hair(gap: float) -> None:
    assert rows_for_gap(gap, 1.0, 0.05) is None
    assert rows_without_event(gap / 10, 0.05) is None


def test_the_number_given_decides_in_eight_of_ten_simulations() -> None:
    rows = rows_for_gap(0.3, 1.0, 0.05)
    assert rows is not None
    means = np.random.default_rng(9).normal(0.3, 1.0, (2_000, rows)).mean(axis=1)
    decided = float((means * math.sqrt(rows) > 1.645).mean())
    assert decided == pytest.approx(0.8, abs=0.04)
