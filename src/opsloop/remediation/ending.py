"""How a remediation ends: its state, its incident's timeline, the record, and who else hears of it."""

from __future__ import annotations

from typing import Any

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import service as incidents
from opsloop.remediation._tables import RemediationRow
from opsloop.remediation.events import RemediationEnded
from opsloop.remediation.halts import BELL
from opsloop.remediation.models import State


def end(uow: UnitOfWork, row: RemediationRow, state: State, outcome: str) -> None:
    """Args: outcome: a sentence."""
    row.state, row.outcome, row.finished_at = state.value, outcome, uow.clock.now()
    row.active = row.busy = None
    said = f"{row.title}: {state.value}; {outcome}"
    if row.incident is not None:
        checked = [f"{each['check']}, {each['verdict']}: {each['sentence']}" for each in row.findings]
        detail: dict[str, Any] = {"remediation": row.id, "state": state.value, "outcome": outcome, "checked": checked}
        incidents.record(uow, row.incident, "remediation", said, **detail)
    uow.audit(
        "remediation.ended",
        row.target,
        remediation=row.id,
        incident=row.incident,
        playbook=row.playbook,
        state=state.value,
        outcome=outcome,
        findings=list(row.findings),
    )
    uow.emit(RemediationEnded(row.id, row.incident or "", row.playbook, row.endpoint, state.value, outcome))
    uow.ring(BELL)
