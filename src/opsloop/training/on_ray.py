"""Trials on Ray: the rows go to each machine once, every trial to whichever worker is free."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opsloop.core.compute import ray_session
from opsloop.core.compute.settings import ComputeSettings
from opsloop.training.compute import WorkerLost, got, tried
from opsloop.training.fitting import Outcome, Recipe, Rows, Trial
from opsloop.training.orders import Trouble


@contextmanager
def on_ray(settings: ComputeSettings) -> Iterator[OnRay]:
    """Workers of Ray while the block runs. Raises: ExtraNeeded, InvalidInput, RayAway, RayInUse."""
    with ray_session.connected(settings, "training") as size:
        yield OnRay(size)


class OnRay:
    """Of the Ray that this process is connected to.

    Args:
        size: trials in work at a time.
    """

    def __init__(self, size: int) -> None:
        import ray  # an extra, connected to by `on_ray`

        self.size = size
        self._ray: Any = ray
        self._tried: Any = ray.remote(num_cpus=1, max_retries=1)(tried)
        self._rows: tuple[Rows, Any] | None = None

    def outcomes(self, recipe: Recipe, rows: Rows, trials: Sequence[Trial]) -> Iterator[Outcome]:
        """Raises: PipelineInvalid, FunctionBroke, WorkerLost."""
        where, made = self._there(rows), self._ray.put(recipe)
        waiting: deque[Any] = deque()
        left = iter(trials)
        for trial in left:
            waiting.append(self._tried.remote(made, where, trial))
            if len(waiting) >= 2 * self.size:
                yield self._got(waiting.popleft())
        while waiting:
            yield self._got(waiting.popleft())

    def _there(self, rows: Rows) -> Any:
        """The rows in Ray's store; those of one table are put there once, as what is kept shows."""
        if self._rows is None or not _is_same(self._rows[0], rows):
            self._rows = (rows, self._ray.put(rows))
        return self._rows[1]

    def _got(self, reference: Any) -> Outcome:
        try:
            found: Outcome | Trouble = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            raise WorkerLost(reason=str(error).strip().splitlines()[0]) from error
        return got(found)


def _is_same(one: Rows, other: Rows) -> bool:
    return one.X is other.X and one.y is other.y and one.weights is other.weights
