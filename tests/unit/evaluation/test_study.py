"""Runs side by side: who is stopped, and how often wrongly."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from opsloop.core.clock import FakeClock
from opsloop.evaluation.budget import Account
from opsloop.evaluation.course import Arm
from opsloop.evaluation.models import Budget, By, Experiment, VariantsSpec
from opsloop.evaluation.running import Place
from opsloop.evaluation.study import Study
from opsloop.flows.results import TokenUse

CALL = TokenUse(prompt=10, calls=1)


class Scored:
    """Stands in for the rows of a run: each has the figure it was given."""

    def __init__(self, figures: list[float]) -> None:
        self.figures = figures
        self.done: dict[Place, Any] = {}

    def places(self) -> Iterator[Place]:
        yield from (Place(0, row, 0) for row in range(len(self.figures)))

    async def run(self, place: Place) -> Any:
        self.done[place] = SimpleNamespace(record=SimpleNamespace(error=None), used=CALL)
        return self.done[place]

    def score(self, place: Place, metric: str) -> float | None:
        assert metric == "m"
        return self.figures[place.row]


def arms_of(*figures: list[float]) -> list[Arm]:
    return [Arm(f"n.v{number}", Scored(each)) for number, each in enumerate(figures)]  # type: ignore[arg-type]  # a stand-in


def ran(arms: list[Arm], spec: VariantsSpec, budget: Budget | None = None) -> Study:
    experiment = Experiment("e", (), (), variants=spec, budget=budget)
    study = Study(experiment, arms, Account(budget, FakeClock()), at_once=4)
    asyncio.run(study.run())
    return study


def test_the_best_of_equals_is_stopped_no_more_often_than_promised() -> None:
    draw = random.Random(3)
    trials, alpha = 250, 0.1
    spec = VariantsSpec(metric="m", alpha=alpha)
    stopped = 0
    for _ in range(trials):
        arms = arms_of(*([float(draw.random() < 0.7) for _ in range(120)] for _ in range(4)))
        ran(arms, spec)
        stopped += arms[0].stopped is not None  # all are equally good, so the first is a best one
    assert stopped / trials <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / trials)


def test_the_best_goes_on_while_bad_ones_are_stopped_early() -> None:
    draw = random.Random(5)
    arms = arms_of(*([float(draw.random() < rate) for _ in range(400)] for rate in (0.5, 0.9, 0.1)))
    study = ran(arms, VariantsSpec(metric="m"))
    assert arms[1].stopped is None
    assert len(arms[1].rows.done) == 400
    assert len(arms[2].rows.done) < 40
    assert len(arms[0].rows.done) < 200
    assert (study.why_cut(arms[2]) or "").startswith("it lost to n.v1: m 0 against 0.9 on ")
    assert study.why_cut(arms[1]) is None


def test_lower_may_be_better() -> None:
    arms = arms_of([1.0] * 100, [0.0] * 100)
    ran(arms, VariantsSpec(metric="m", higher_is_better=False))
    assert (arms[0].stopped is None, arms[1].stopped) == (False, None)


def test_halving_runs_the_better_half_over_twice_the_rows() -> None:
    arms = arms_of(*([0.1 * place] * 80 for place in range(8)))
    ran(arms, VariantsSpec(by=By.SUCCESSIVE_HALVING, metric="m", alpha=1e-12))
    assert [len(arm.rows.done) for arm in arms] == [20, 20, 20, 20, 40, 40, 80, 80]
    assert arms[0].stopped == "it was not in the better half after 20 rows: m 0, 0.4 went on"


def test_halving_shares_a_budget_over_its_rounds() -> None:
    arms = arms_of(*([0.1 * place] * 80 for place in range(8)))
    study = ran(arms, VariantsSpec(by=By.SUCCESSIVE_HALVING, metric="m", alpha=1e-12), Budget(calls=120))
    used = sum(len(arm.rows.done) for arm in arms)
    assert 100 < used <= 120
    assert [arm.stopped is None for arm in arms] == [False] * 6 + [True] * 2
    assert "the budget of 120 calls was used up" in (study.why_cut(arms[7]) or "")


def test_without_a_metric_all_run_to_their_end() -> None:
    arms = arms_of([0.0] * 50, [1.0] * 50)
    ran(arms, VariantsSpec())
    assert [(arm.stopped, len(arm.rows.done)) for arm in arms] == [(None, 50), (None, 50)]
