"""One unit of work: a transaction, who asked for it, and what it tells others.

Whoever opens it commits it; services only use it. Events and audit records written through it are in the same
transaction as the state they speak of, or not there at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from opsloop.core.artifacts.store import Artifacts
from opsloop.core.caller import Caller
from opsloop.core.clock import Clock
from opsloop.core.ids import Ids

if TYPE_CHECKING:
    from opsloop.core.workspace import Workspace


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
