from __future__ import annotations

import math

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
