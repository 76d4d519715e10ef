"""How figures are written."""

from __future__ import annotations

import pytest

from opsloop.training.figures import listed, shown


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(0.966666, "0.9667"), (1.0, "1"), (50_965.4, "50,965"), (2_597_484_321.0, "2,597,480,000"), (-1234.4, "-1,234")],
)
def test_a_figure_has_few_digits(value: float, wanted: str) -> None:
    assert shown(value) == wanted


def test_the_first_figures_stand_in_a_line() -> None:
    assert listed({"mse": 2289.6, "rmse": 47.85, "r2": 0.84}, 2) == "mse 2,290, rmse 47.85"
