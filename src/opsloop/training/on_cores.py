"""Trials side by side on this machine's processors, when they take long enough for it to pay."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from opsloop.training.compute import WorkerLost, got, tried
from opsloop.training.fitting import Outcome, Recipe, Rows, Trial, outcome

WORTH_S = 10.0
"""Work left from which on processes are started: each takes some two seconds to load what it needs."""


class OnCores:
    """Args:
    processes: fits in work at a time.
    worth_s: work from which on there is more than this process.
    """

    def __init__(self, processes: int, *, worth_s: float = WORTH_S) -> None:
        self.processes = processes
        self.worth_s = worth_s

    def outcomes(self, recipe: Recipe, rows: Rows, trials: Sequence[Trial]) -> Iterator[Outcome]:
        """The first trial is run here and tells how long the others will take. Raises: as the port, WorkerLost."""
        if not trials:
            return
        begun = time.perf_counter()
        yield outcome(recipe, rows, trials[0])
        left_s = (time.perf_counter() - begun) * (len(trials) - 1)
        if self.processes < 2 or left_s < self.worth_s:
            for trial in trials[1:]:
                yield outcome(recipe, rows, trial)
            return
        yield from self._side_by_side(recipe, rows, trials[1:])

    def _side_by_side(self, recipe: Recipe, rows: Rows, trials: Sequence[Trial]) -> Iterator[Outcome]:
        from joblib import Parallel, delayed  # comes with scikit-learn
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        work: Any = delayed(tried)
        made = Parallel(n_jobs=min(self.processes, len(trials)), return_as="generator")
        try:
            for found in made(work(recipe, rows, trial) for trial in trials):
                yield got(found)
        except TerminatedWorkerError as error:
            raise WorkerLost(reason=str(error).strip().splitlines()[0]) from error
