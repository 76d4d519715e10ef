"""Preparations: rows read, cleaned, split and registered; and versions published elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.client.waiting import last, looks
from opsloop.core.errors import StillPending
from opsloop.datasets.preparation.models import DroppedRow, Preparation, PreparationRun
from opsloop.datasets.publishing.models import DatasetPublication

POLL_S = 0.1


class PreparationGoesOn(StillPending):
    template = "preparation run {run} goes on; look again with `opsloop data preparation {run}`"


class Preparations:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def listed(self) -> list[Preparation]:
        return self._connection.items("/api/preparations", Preparation)

    def get(self, name: str) -> Preparation:
        return self._connection.get(path("api", "preparations", name), Preparation)

    def put(self, name: str, declared: dict[str, Any]) -> Preparation:
        """Keep a preparation, with its schedule."""
        return self._connection.put(path("api", "preparations", name), Preparation, body={"declared": declared})

    def start(self, name: str) -> PreparationRun:
        return self._connection.post(path("api", "preparations", name, "runs"), PreparationRun)

    def start_import(self, name: str, source: str | dict[str, Any], *, tags: Sequence[str] = ()) -> PreparationRun:
        """Register what stands elsewhere as a version of a dataset."""
        body = {"source": source, "tags": list(tags)}
        return self._connection.post(path("api", "datasets", name, "imports"), PreparationRun, body=body)

    def is_new(self, name: str, source: str | dict[str, Any], *, tags: Sequence[str] = ()) -> tuple[str, bool]:
        """The exact state of a source now, and whether the dataset does not have it yet."""
        body = {"source": source, "tags": list(tags)}
        at = path("api", "datasets", name, "imports", "check")
        found = self._connection.post(at, dict[str, Any], body=body)
        return str(found["source"]), bool(found["is_new"])

    def run(self, run: str) -> PreparationRun:
        return self._connection.get(path("api", "preparation-runs", run), PreparationRun)

    def runs(self, preparation: str | None = None, *, limit: int = 100) -> list[PreparationRun]:
        """The newest first."""
        return self._connection.items("/api/preparation-runs", PreparationRun, preparation=preparation, limit=limit)

    def dropped(self, run: str, step: int, *, limit: int = 100) -> list[DroppedRow]:
        """Some of the rows that a step dropped."""
        at = path("api", "preparation-runs", run, "steps", step, "dropped")
        return self._connection.items(at, DroppedRow, limit=limit)

    def wait(
        self,
        run: str,
        *,
        timeout_s: float | None = None,
        tell: Callable[[PreparationRun], None] = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> PreparationRun:
        """The run once it is over; `tell` hears of it meanwhile. Raises: PreparationGoesOn."""

        def is_over(found: PreparationRun) -> bool:
            return found.status.is_final

        each = looks(lambda: self.run(run), is_over, timeout_s=timeout_s, every_s=POLL_S, pause=pause)
        found = last(each, tell)
        if not is_over(found):
            raise PreparationGoesOn(run=run)
        return found

    def publish(
        self, ref: str, to: str, *, replace: bool = False, pause: Callable[[float], None] = time.sleep
    ) -> DatasetPublication:
        """Publish a version, and wait until it stands there."""
        whole, _, part = ref.partition("/")
        name, _, version = whole.partition("@")
        at = path("api", "datasets", name, "versions", version or "latest", "publications")
        found = self._connection.post(at, DatasetPublication, body={"to": to, "replace": replace, "part": part or None})
        while not found.status.is_final:
            pause(POLL_S)
            found = self._connection.get(path("api", "publications", found.id), DatasetPublication)
        return found
