"""An opened data folder: the state, artifacts, settings and time that all work of one process shares."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from opsloop.core import settings as settings_module
from opsloop.core.artifacts.store import Artifacts
from opsloop.core.bell import Bell
from opsloop.core.caller import Caller
from opsloop.core.clock import Clock
from opsloop.core.db.database import Database
from opsloop.core.ids import Ids
from opsloop.core.settings import CoreSettings, Section
from opsloop.core.work import UnitOfWork

S = TypeVar("S", bound=Section)
BeforeCommit = Callable[[UnitOfWork], None]


class Workspace:
    """Everything of one installation that code may need; made by `opening.open_workspace`.

    Args:
        before_commit: what is written last in every writing transaction (outbox, audit), in this order.
        file_values: the `settings:` section of the project's file, for sections that slices read.
    """

    def __init__(
        self,
        *,
        settings: CoreSettings,
        database: Database,
        artifacts: Artifacts,
        clock: Clock,
        ids: Ids,
        before_commit: Sequence[BeforeCommit] = (),
        file_values: Mapping[str, Any] | None = None,
    ) -> None:
        self.settings = settings
        self.database = database
        self.artifacts = artifacts
        self.clock = clock
        self.ids = ids
        # Set when the process drains: streams that would go on for ever end.
        self.stopping = threading.Event()
        self._before_commit = tuple(before_commit)
        self._file_values = dict(file_values or {})
        self._sections: dict[type[Section], Section] = {}
        self._bells: dict[str, Bell] = {}
        self._lock = threading.Lock()

    @property
    def data_dir(self) -> Path:
        return self.settings.data_dir

    def section(self, model: type[S]) -> S:
        """A slice's settings, read once."""
        with self._lock:
            if model not in self._sections:
                self._sections[model] = settings_module.read(model, self._file_values)
            found = self._sections[model]
        assert isinstance(found, model)
        return found

    def bell(self, name: str) -> Bell:
        """The bell of this process with that name."""
        with self._lock:
            return self._bells.setdefault(name, Bell())

    @contextmanager
    def writing(self, by: Caller) -> Iterator[UnitOfWork]:
        """A unit of work that is committed, with its events and audit records, when the block ends well."""
        with self.database.writing() as session:
            uow = UnitOfWork(self, session, by)
            yield uow
            for finish in self._before_commit:
                finish(uow)
        for name in uow.rings:
            self.bell(name).ring()

    @contextmanager
    def reading(self, by: Caller) -> Iterator[UnitOfWork]:
        """A unit of work that sees one consistent state and changes nothing."""
        with self.database.reading() as session:
            yield UnitOfWork(self, session, by)

    def close(self) -> None:
        self.database.close()
