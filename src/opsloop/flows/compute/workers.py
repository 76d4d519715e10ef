"""The port behind which workers run rows, and what goes to them and comes back; all of it can be pickled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from opsloop.core.errors import Failed, Unavailable
from opsloop.core.settings import CoreSettings
from opsloop.flows.batch_row import Row
from opsloop.flows.calls import Kept
from opsloop.flows.connections.models import Connection
from opsloop.flows.row_result import RowResult


class WorkerLost(Failed):
    """A worker ended while it had rows."""

    template = "the worker ended: {reason}"


class WorkersAway(Unavailable):
    template = "no worker could be started: {reason}"


@dataclass(frozen=True, slots=True)
class Project:
    """The project whose workspace a worker on the same machine opens."""

    settings: CoreSettings
    file_values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker needs, once, to run the rows of a batch.

    Args:
        path: of the flow's file; with `files` its folder's name and its path in there.
        files: those of the flow by their paths, for a worker on another machine; None where `path` is there.
        share: rows in work at a time on one worker.
        environment: variables to set before the flow is loaded.
        connections: by name, as the machine that started the batch knows them.
        cache: folder of model answers, as a path of the worker's machine.
        keeps_answers: whether answers of models are to come back, for the journal.
    """

    path: Path
    variants: Mapping[str, str]
    init: Mapping[str, Any] | None
    overrides: Mapping[str, Mapping[str, Any]]
    mapping: Mapping[str, Any]
    timeout_s: float | None
    share: int
    files: Mapping[str, bytes] | None = field(default=None, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    connections: Mapping[str, Connection] = field(default_factory=dict, repr=False)
    project: Project | None = field(default=None, repr=False)
    cache: Path | None = None
    keeps_answers: bool = False


@dataclass(frozen=True, slots=True)
class Handed:
    """A row with the answers of models that it got before, by their places."""

    row: Row
    answers: Mapping[str, Kept] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answered:
    """A model's answer to an unfinished row."""

    row: int
    place: str
    answer: Kept


@dataclass(frozen=True, slots=True)
class Ended:
    """A row that is done; `from_cache` counts its answers that were in the cache."""

    result: RowResult
    from_cache: int = 0


News = Sequence[Answered | Ended]


class Worker(Protocol):
    def run(self, rows: Sequence[Handed]) -> AsyncIterator[News]:
        """Run rows; news come as they happen. Raises: WorkerLost."""
        ...


class WorkerPool(Protocol):
    @property
    def size(self) -> int:
        """How many workers there may be at a time."""
        ...

    @property
    def is_elsewhere(self) -> bool:
        """Whether workers may be on machines without the files of this one."""
        ...

    async def start(self, job: Job) -> Worker:
        """A worker with the flow loaded. Raises: WorkerLost when it ended; OpsloopError when the flow does not load."""
        ...

    async def stop(self, worker: Worker) -> None:
        """End a worker and the rows it has in work; one that is lost already is no error."""
        ...
