"""An opened data folder, and the units of work done in it.

A workspace is what all work of one process shares: state, artifacts, settings, time. A unit of work is one transaction,
who asked for it, and what it tells others. Whoever opens it commits it; services only use it. Events and audit records
written through it are in the same transaction as the state they speak of, or not there at all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from opsloop.core import settings as settings_module
from opsloop.core.artifacts.store import Artifacts
from opsloop.core.bell import Bell
from opsloop.core.caller import Caller
from opsloop.core.clock import Clock
from opsloop.core.db.database import Database
from opsloop.core.ids import Ids
from opsloop.core.settings import CoreSettings, Section

S = TypeVar("S", bound=Section)


@dataclass(frozen=True, slots=True)
class Record:
    """What is to stand in the audit trail once the work is committed."""

    action: str
    target: str
    detail: dict[str, Any]


class UnitOfWork:
    def __init__(self, workspace: Workspace, session: Session, by: Caller) -> None:
        self.workspace = workspace
        self.session = session
        self.by = by
        self.events: list[object] = []
        self.records: list[Record] = []
        self.rings: set[str] = set()

    @property
    def clock(self) -> Clock:
        return self.workspace.clock

    @property
    def ids(self) -> Ids:
        return self.workspace.ids

    @property
    def artifacts(self) -> Artifacts:
        return self.workspace.artifacts

    def emit(self, event: object) -> None:
        """Tell other slices, once this transaction is committed."""
        self.events.append(event)

    def audit(self, action: str, target: str, /, **detail: Any) -> None:
        """Put who did what to which thing on the record: `uow.audit("release.promoted", "endpoint/chat", to="r7")`.

        `detail` holds JSON values; records are chained and signed when the transaction commits.
        """
        self.records.append(Record(action, target, detail))

    def ring(self, bell: str) -> None:
        """Ring a bell of this process once the transaction is committed."""
        self.rings.add(bell)


BeforeCommit = Callable[[UnitOfWork], None]


class Workspace:
    """Everything of one installation that code may need; made by `opening.open_workspace`.

    Args:
        before_commit: what is written last in every writing transaction (outbox, audit), in this order.
        file_values: the `settings:` section of the project's file, for sections that slices read.
        place: of this process among several that share the data folder; empty for the only one.
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
        place: str = "",
    ) -> None:
        self.settings = settings
        self.place = place
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

    @property
    def file_values(self) -> Mapping[str, Any]:
        """The `settings:` section of the project's file, for another process that opens the same workspace."""
        return self._file_values

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
