"""Evidence by betting, and how often it is wrong."""

from __future__ import annotations

import math
import random

import pytest

from opsloop.evaluation.statistics.betting import BETS, PairedBets

ALPHA = 0.05


def test_the_money_is_the_mean_over_the_bets() -> None:
    bets = PairedBets()
    for difference in (1.0, -0.5, 0.25):
        bets.add(difference)
    wanted = sum((1 + each) * (1 - each / 2) * (1 + each / 4) for each in BETS) / len(BETS)
    assert math.exp(bets.log_e) == pytest.approx(wanted)
    assert bets.pairs == 3
    assert bets.mean == pytest.approx(0.25)


def test_differences_are_in_units_of_the_span() -> None:
    one, other = PairedBets(), PairedBets(span=4.0)
    for difference in (0.5, -0.25):
        one.add(difference)
        other.add(4 * difference)
    assert one.log_e == pytest.approx(other.log_e)
    with pytest.raises(ValueError, match="beyond the span"):
        one.add(1.5)


def crossed(draw: random.Random, differences: list[float], weights: list[float], rows: int) -> int | None:
    """The row after which the evidence reaches 1/alpha, when it does."""
    bets = PairedBets()
    for row, difference in enumerate(draw.choices(differences, weights, k=rows), start=1):
        bets.add(difference)
        if bets.log_e >= math.log(1 / ALPHA):
            return row
    return None


@pytest.mark.parametrize(
    ("differences", "weights"),
    [
        ([1.0, -1.0, 0.0], [0.2, 0.2, 0.6]),  # right or wrong, equally good
        ([0.1, -0.9], [0.9, 0.1]),  # mostly a little better, seldom much worse: the same mean
        ([0.5, -0.5], [0.5, 0.5]),
    ],
)
def test_an_equal_one_is_hardly_ever_called_worse_however_often_one_looks(
    differences: list[float], weights: list[float]
) -> None:
    draw = random.Random(7)
    trials = 600
    wrong = sum(crossed(draw, differences, weights, 300) is not None for _ in range(trials))
    # Three standard errors above alpha: the guarantee is on the true rate.
    assert wrong / trials <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / trials)


def test_a_clearly_better_one_is_found_soon() -> None:
    draw = random.Random(11)
    found = sorted(crossed(draw, [1.0, -1.0, 0.0], [0.4, 0.05, 0.55], 2_000) or 2_000 for _ in range(200))
    assert found[100] <= 60
    assert found[-1] < 2_000
