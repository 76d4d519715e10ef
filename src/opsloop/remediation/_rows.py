"""Rows as nouns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from opsloop.remediation._tables import RemediationRow, VoteRow
from opsloop.remediation.models import Finding, Level, Preview, Reach, Remediation, RemediationId, State, Vote


def remediation(row: RemediationRow, votes: Iterable[VoteRow] = (), *, is_lapsed: bool) -> Remediation:
    return Remediation(
        id=RemediationId(row.id),
        incident=row.incident,
        playbook=row.playbook,
        title=row.title,
        target=row.target,
        endpoint=row.endpoint,
        environment=row.environment,
        level=Level(row.level),
        why_level=tuple(row.why_level),
        state=State(row.state),
        is_rehearsal=row.is_rehearsal,
        because=tuple(row.because),
        against=tuple(row.against),
        questions=tuple(row.questions),
        checklist=tuple(row.checklist),
        commands=tuple(row.commands),
        script=row.script,
        action=row.action,
        parameters=row.parameters,
        preview=preview(row.preview),
        digest=row.digest,
        needed=row.needed,
        votes=tuple(Vote(each.by, each.is_yes, each.reason, each.digest, each.at) for each in votes),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        is_lapsed=is_lapsed,
        acted_at=row.acted_at,
        acted=row.acted,
        can_undo=row.undo is not None,
        findings=tuple(Finding(**each) for each in row.findings),
        finished_at=row.finished_at,
        outcome=row.outcome,
    )


def preview(stored: dict[str, Any] | None) -> Preview | None:
    if stored is None:
        return None
    return Preview(
        stored["sentence"],
        stored["revision"],
        tuple(stored["changes"]),
        Reach(**stored["reach"]),
        tuple(stored.get("holds", ())),
    )
