"""The distribution functions against SciPy 1.17.1."""

from __future__ import annotations

import pytest

from opsloop.evaluation.statistics import distributions


@pytest.mark.parametrize(
    ("x", "a", "b", "value"),
    [
        (0.2, 2, 3, 0.1808),
        (0.5, 0.5, 0.5, 0.5),
        (0.99, 1000, 5, 0.027948558419431037),
        (0.001, 0.5, 2000, 0.9545402415621452),
        (0.3, 5000, 12000, 0.9534338785883755),
    ],
)
def test_the_beta_distribution_equals_scipys_betainc(x: float, a: float, b: float, value: float) -> None:
    assert distributions.beta_cdf(x, a, b) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ("t", "freedom", "value"),
    [(-2.5, 1, 0.12111894159084341), (1.3, 7, 0.8826160823038114), (-3, 99, 0.0017077539607894359)],
)
def test_students_distribution_equals_scipys(t: float, freedom: int, value: float) -> None:
    assert distributions.student_cdf(t, freedom) == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize(
    ("level", "freedom", "value"),
    [(0.05, 1, -6.313751514675044), (0.975, 9, 2.262157162798205), (0.01, 250, -2.341356118385916)],
)
def test_students_quantiles_equal_scipys(level: float, freedom: int, value: float) -> None:
    assert distributions.student_quantile(level, freedom) == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("x", [-0.1, 0.0])
def test_the_beta_distribution_is_empty_below_zero(x: float) -> None:
    assert distributions.beta_cdf(x, 2, 3) == 0.0
    assert distributions.beta_cdf(1.0 - x, 2, 3) == 1.0
