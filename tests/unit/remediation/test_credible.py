"""The credible bound against values that can be worked out by hand."""

from __future__ import annotations

import pytest

from opsloop.remediation.credible import lower_bound


@pytest.mark.parametrize("successes", [0, 1, 5, 20, 200])
def test_without_failures_it_is_a_root(successes: int) -> None:
    """Beta(n + 1, 1) has the distribution function x ** (n + 1)."""
    assert lower_bound(successes, 0) == pytest.approx(0.05 ** (1 / (successes + 1)), abs=1e-9)


def test_a_failure_costs_and_symmetry_holds() -> None:
    """Beta(1, n + 1) has 1 - (1 - x) ** (n + 1); Beta(a, a) has its median at one half."""
    assert lower_bound(0, 4) == pytest.approx(1 - 0.95 ** (1 / 5), abs=1e-9)
    assert lower_bound(7, 7, level=0.5) == pytest.approx(0.5, abs=1e-9)
    assert lower_bound(20, 1) < lower_bound(20, 0)


def test_counts_are_not_negative() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        lower_bound(-1, 0)
