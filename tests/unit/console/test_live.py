"""How long the console rests between two looks at the platform."""

from __future__ import annotations

import pytest

from opsloop.console.live import LONGEST_REST_S, TICK_S, rest_s


@pytest.mark.parametrize(
    ("look_cpu_s", "rest"),
    [(0.0, TICK_S), (0.01, TICK_S), (0.1, 3.0), (2.0, LONGEST_REST_S)],
)
def test_the_dearer_a_look_the_longer_the_rest_within_bounds(look_cpu_s: float, rest: float) -> None:
    assert rest_s(look_cpu_s) == pytest.approx(rest)
