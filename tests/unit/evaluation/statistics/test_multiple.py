from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.statistics.multiple import holm


def test_holm_multiplies_step_by_step_and_never_falls() -> None:
    # By hand: 4 x 0.005, 3 x 0.01, 2 x 0.03, then max(0.06, 1 x 0.04).
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_one_test_is_left_alone_and_none_is_fine() -> None:
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


@given(p_values=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20))
def test_adjusted_values_lie_between_the_raw_ones_and_bonferroni(p_values: list[float]) -> None:
    for raw, adjusted in zip(p_values, holm(p_values), strict=True):
        assert raw <= adjusted <= 1.0
    assert min(holm(p_values)) == pytest.approx(min(1.0, len(p_values) * min(p_values)))


@pytest.mark.parametrize("p_value", [-0.1, 1.1, math.nan])
def test_what_is_no_p_value_is_refused(p_value: float) -> None:
    with pytest.raises(InvalidInput, match="p-value 1"):
        holm([0.5, p_value])


def closed(p_values: list[float], place: int) -> float:
    """Holm's adjusted value another way: the worst Bonferroni test of all sets of hypotheses that hold this one.

    Source: R. Marcus, E. Peritz, K. R. Gabriel, On closed testing procedures, Biometrika 63 (1976), 655-660.
    """
    others = [other for other in range(len(p_values)) if other != place]
    sets = ([place, *some] for size in range(len(p_values)) for some in combinations(others, size))
    return max(min(1.0, len(each) * min(p_values[one] for one in each)) for each in sets)


@given(p_values=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_bonferroni(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx([closed(p_values, place) for place in range(len(p_values))])


def test_three_of_fifteen_published_tests_stand() -> None:
    # Y. Benjamini, Y. Hochberg, JRSS B 57 (1995), 289-300, section 4: Bonferroni's and Hochberg's methods reject three.
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240]
    p_values += [0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert sum(adjusted <= 0.05 for adjusted in holm(p_values)) == 3
    assert holm(p_values)[:4] == pytest.approx([0.0015, 0.0056, 0.0247, 0.114])


def test_any_wrong_rejection_is_as_rare_as_it_says() -> None:
    """12 tests of which 8 are of what is true, half of them alike; the bound is 3.1 standard errors above 5 %."""
    rng = np.random.default_rng(41)
    p_values = rng.random((2_000, 12))
    p_values[:, 4:8] = p_values[:, :1]
    p_values[:, 8:] *= 1e-4
    wrong = sum(min(holm(row.tolist())[:8]) <= 0.05 for row in p_values)
    assert wrong / 2_000 <= 0.05 + 3.1 * math.sqrt(0.05 * 0.95 / 2_000)
