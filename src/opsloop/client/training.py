"""Pipelines that train models, and their runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.client.waiting import last, looks
from opsloop.core.errors import StillPending
from opsloop.training.models import Pipeline, TrainingRun

POLL_S = 0.2


class TrainingGoesOn(StillPending):
    template = "training run {run} goes on; look again with `opsloop train show {run}`"


class Training:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def pipelines(self) -> list[Pipeline]:
        return self._connection.items("/api/training/pipelines", Pipeline)

    def pipeline(self, name: str) -> Pipeline:
        return self._connection.get(path("api", "training", "pipelines", name), Pipeline)

    def put(self, name: str, declared: Mapping[str, Any], *, code: Mapping[str, str] | None = None) -> Pipeline:
        """Keep a pipeline, with its schedule and the Python it names."""
        body = {"declared": dict(declared), "code": dict(code or {})}
        return self._connection.put(path("api", "training", "pipelines", name), Pipeline, body=body)

    def remove(self, name: str) -> None:
        """Forget a pipeline and its schedule; its runs and the models they made stay."""
        self._connection.delete(path("api", "training", "pipelines", name))

    def start(
        self,
        pipeline: str,
        *,
        dataset: str | None = None,
        window: Mapping[str, Any] | None = None,
        force: bool = False,
        reason: str = "",
    ) -> TrainingRun:
        """Start a run; it goes on as a job of the platform.

        Args:
            dataset: another dataset or version than the pipeline declares.
            window: other rows of it, such as `{"rows": 5000}`.
            force: train though neither data nor pipeline have changed since the last good run.
        """
        body = {"dataset": dataset, "window": window, "force": force, "reason": reason}
        return self._connection.post(path("api", "training", "pipelines", pipeline, "runs"), TrainingRun, body=body)

    def run(self, run: str) -> TrainingRun:
        return self._connection.get(path("api", "training", "runs", run), TrainingRun)

    def runs(self, pipeline: str | None = None, *, limit: int = 100) -> list[TrainingRun]:
        """The newest first."""
        return self._connection.items("/api/training/runs", TrainingRun, pipeline=pipeline, limit=limit)

    def cancel(self, run: str) -> TrainingRun:
        return self._connection.post(path("api", "training", "runs", run, "cancel"), TrainingRun)

    def wait(
        self,
        run: str,
        *,
        timeout_s: float | None = None,
        tell: Callable[[TrainingRun], None] = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> TrainingRun:
        """The run once it is over; `tell` hears of it meanwhile. Raises: TrainingGoesOn."""

        def is_over(found: TrainingRun) -> bool:
            return found.status.is_final

        each = looks(lambda: self.run(run), is_over, timeout_s=timeout_s, every_s=POLL_S, pause=pause)
        found = last(each, tell)
        if not is_over(found):
            raise TrainingGoesOn(run=run)
        return found
