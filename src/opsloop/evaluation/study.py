"""The runs that one experiment makes, side by side on the same rows, and which of them are stopped on the way.

Rows are taken in one order for all runs, so that any two are compared on the same rows. Where runs may be stopped, or
a budget may cut them, that order is drawn, so that the first rows are as good as any. A run is stopped

* by the sequential test, when another is better on the rows so far: betting on paired differences, with 1/alpha times
  the number of other runs as the money to reach, so that the best run is ever stopped with a chance of at most alpha;
* by successive halving: in round r of R all that are left run over the first N / 2^(R-r) rows, and the better half goes
  on; at the end the last two have run over all rows.

Sources: K. Jamieson, A. Talwalkar, Non-stochastic best arm identification and hyperparameter optimization, AISTATS
2016; Z. Karnin, T. Koren, O. Somekh, Almost optimal exploration in multi-armed bandits, ICML 2013; `betting.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opsloop.evaluation.budget import Account
from opsloop.evaluation.course import Arm, rows_of, side_by_side, work_off
from opsloop.evaluation.models import By, Experiment, VariantsSpec
from opsloop.evaluation.running import Place
from opsloop.evaluation.statistics.betting import PairedBets

DEFAULTS = "the defaults"


class Study:
    """Runs of an experiment that go side by side.

    Args:
        at_once: most rows in work at a time, over all runs.
    """

    def __init__(self, experiment: Experiment, arms: Sequence[Arm], account: Account, *, at_once: int) -> None:
        self.arms = arms
        self._account = account
        self._at_once = at_once
        self._spec = experiment.variants if len(arms) > 1 else None
        is_shuffled = experiment.budget is not None or (self._spec is not None and self._spec.metric is not None)
        self._rows = rows_of(arms[0], seed=experiment.seed, is_shuffled=is_shuffled)
        self._contest = Contest(self._spec, arms, self._rows) if self._spec is not None and self._spec.metric else None
        self._cut: str | None = None
        self._begun = 0

    async def run(self) -> None:
        """Run rows until all are done, all but the best are stopped, or the budget is used up.

        Raises: ScoreUnusable, EvaluatorBroke, LinesUnwritable.
        """
        for share, end in self._rounds():
            waiting = self._until(end, share)
            self._cut = await work_off(waiting, self._account, at_once=self._at_once, done=self._done)
            if self._cut is not None:
                return
            if self._contest is not None and end < len(self._rows):
                self._contest.halve()

    def progress(self) -> tuple[int, int, int]:
        """Rows done, rows in all, rows on which a flow failed; over all runs."""
        total = sum(len(places) for places in self._rows)
        done = sum(len(arm.rows.done) for arm in self.arms)
        left = sum(len(arm.rows.done) if arm.stopped is not None else total for arm in self.arms)
        return done, left, sum(arm.failed for arm in self.arms)

    def why_cut(self, arm: Arm) -> str | None:
        """Why a run did not go over all rows, as a sentence."""
        total = sum(len(places) for places in self._rows)
        why = arm.stopped or self._cut
        return (
            None if why is None or len(arm.rows.done) == total else f"{why} ({len(arm.rows.done):,} of {total:,} rows)"
        )

    def _rounds(self) -> list[tuple[float, int]]:
        """By round the share of the budget that is gone at its end, and the number of rows that are done then."""
        if self._spec is None or self._spec.by is not By.SUCCESSIVE_HALVING:
            return [(1.0, len(self._rows))]
        rounds = max(1, math.ceil(math.log2(len(self.arms))))
        ends = [math.ceil(len(self._rows) / 2 ** (rounds - 1 - number)) for number in range(rounds)]
        return [((number + 1) / rounds, end) for number, end in enumerate(ends)]

    def _until(self, end: int, share: float) -> Iterator[tuple[Arm, Place]]:
        """The rows of one round, as long as its share of the budget lasts."""
        while self._begun < end:
            if share < 1.0 and self._account.share_is_used(share):
                return
            places = self._rows[self._begun]
            self._begun += 1
            yield from side_by_side(places, [arm for arm in self.arms if arm.stopped is None])

    def _done(self, arm: Arm, place: Place) -> None:
        if self._contest is not None:
            self._contest.note(arm, place)


@dataclass(slots=True)
class _Score:
    """The mean of a run so far."""

    total: float = 0.0
    rows: int = 0

    @property
    def mean(self) -> float:
        return self.total / self.rows if self.rows else math.nan


class Contest:
    """Compares runs row by row, in the order in which the rows are taken and not in that in which they end.

    Args:
        rows: by row its places, one for each repeat.
    """

    def __init__(self, spec: VariantsSpec, arms: Sequence[Arm], rows: Sequence[Sequence[Place]]) -> None:
        assert spec.metric is not None
        self._spec = spec
        self._metric = spec.metric
        self._arms = arms
        self._rows = rows
        self._next = 0
        self._scores = {id(arm): _Score() for arm in arms}
        self._bets = {(id(one), id(other)): PairedBets(spec.high - spec.low) for one in arms for other in arms}
        self._log_needed = math.log((len(arms) - 1) / spec.alpha)

    def note(self, arm: Arm, place: Place) -> None:
        """A row was run; compares what can be compared now."""
        while self._next < len(self._rows):
            alive = [each for each in self._arms if each.stopped is None]
            if not all(each.rows.done.keys() >= set(self._rows[self._next]) for each in alive):
                return
            self._compare(alive, self._rows[self._next])
            self._next += 1
            self._stop_losers(alive)

    def halve(self) -> None:
        """Stop the worse half of those that go on."""
        alive = [each for each in self._arms if each.stopped is None]
        keep = math.ceil(len(alive) / 2)
        if len(alive) < 2:
            return
        ranked = sorted(alive, key=self._goodness, reverse=True)
        last = ranked[keep - 1]
        for each in ranked[keep:]:
            each.stopped = (
                f"it was not in the better half after {self._next:,} rows: {self._metric} "
                f"{self._mean(each):.3g}, {self._mean(last):.3g} went on"
            )

    def _compare(self, alive: Sequence[Arm], places: Sequence[Place]) -> None:
        figures = {id(arm): self._figure(arm, places) for arm in alive}
        for arm in alive:
            figure = figures[id(arm)]
            if figure is not None:
                score = self._scores[id(arm)]
                score.total += figure
                score.rows += 1
        sign = 1.0 if self._spec.higher_is_better else -1.0
        for one in alive:
            for other in alive:
                ours, theirs = figures[id(one)], figures[id(other)]
                if one is not other and ours is not None and theirs is not None:
                    self._bets[id(one), id(other)].add(sign * (ours - theirs))

    def _figure(self, arm: Arm, places: Sequence[Place]) -> float | None:
        """The mean of a row's repeats within the bounds; the worst where the flow failed, None where none applies."""
        spec, figures = self._spec, []
        for place in places:
            figure = arm.rows.score(place, self._metric)
            if figure is None and arm.rows.done[place].record.error is not None:
                figure = spec.low if spec.higher_is_better else spec.high
            if figure is not None:
                figures.append(min(spec.high, max(spec.low, figure)))
        return math.fsum(figures) / len(figures) if figures else None

    def _stop_losers(self, alive: Sequence[Arm]) -> None:
        for loser in alive:
            rivals = [each for each in alive if each is not loser and each.stopped is None]
            if not rivals:
                return
            better = max(rivals, key=lambda each: self._log_e(each, loser))
            if self._log_e(better, loser) >= self._log_needed:
                loser.stopped = self._lost(loser, better)

    def _lost(self, loser: Arm, better: Arm) -> str:
        pairs = self._bets[id(better), id(loser)].pairs
        e_value = math.exp(min(self._log_e(better, loser), 600.0))
        return (
            f"it lost to {better.name or DEFAULTS}: {self._metric} {self._mean(loser):.3g} against "
            f"{self._mean(better):.3g} on {pairs:,} rows, e-value {e_value:,.0f}"
        )

    def _log_e(self, one: Arm, other: Arm) -> float:
        return self._bets[id(one), id(other)].log_e

    def _mean(self, arm: Arm) -> float:
        return self._scores[id(arm)].mean

    def _goodness(self, arm: Arm) -> float:
        mean = self._mean(arm)
        if math.isnan(mean):
            return -math.inf
        return mean if self._spec.higher_is_better else -mean
