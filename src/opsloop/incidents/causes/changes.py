"""What changed in the platform, from its own record: every change of state stands in the audit trail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from opsloop.core.audit import service as audit
from opsloop.core.audit.models import AuditEvent
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.causes.models import Change, ChangeKind

MAX_READ = 20_000
PAGE = 1_000

# Actions by the begin of their name; what is not here changes nothing that serves. A candidate that is taken back is
# not here either: that ends what its start began, and its start is the change.
KINDS = {
    "rollout.started": ChangeKind.RELEASE,
    "rollout.stepped": ChangeKind.RELEASE,
    "rollout.promoted": ChangeKind.RELEASE,
    "endpoint.rolled_back": ChangeKind.RELEASE,
    "endpoint.reinstated": ChangeKind.RELEASE,
    "release.recalled": ChangeKind.RELEASE,
    "model.alias_": ChangeKind.MODEL,
    "prompt.": ChangeKind.PROMPT,
    "dataset.current": ChangeKind.DATA,
    "dataset.published": ChangeKind.DATA,
    "dataset.policy_changed": ChangeKind.CONFIG,
    "collection.recut": ChangeKind.COLLECTION,
    "collection.reindexed": ChangeKind.COLLECTION,
    "collection.threshold_set": ChangeKind.COLLECTION,
    "collection.weighed": ChangeKind.COLLECTION,
    "collection.deleted": ChangeKind.COLLECTION,
    "collection.access_given": ChangeKind.COLLECTION,
    "document.": ChangeKind.COLLECTION,
    "guardrails.changed": ChangeKind.GUARDRAILS,
    "limit.": ChangeKind.LIMIT,
    "schedule.": ChangeKind.SCHEDULE,
    "pipeline.set": ChangeKind.SCHEDULE,
    "pipeline.removed": ChangeKind.SCHEDULE,
    "preparation.set": ChangeKind.SCHEDULE,
    "preparation.removed": ChangeKind.SCHEDULE,
    "key.revoked": ChangeKind.CONFIG,
    "connection.": ChangeKind.CONFIG,
    "deployment.": ChangeKind.DEPLOYMENT,
    "remediation.executed": ChangeKind.CONFIG,
}
_BEFORE = ("before", "replaced", "stable", "stable_number")
_AFTER = ("after", "release", "alias", "embedder", "to", "number", "version", "min_support", "cron")


def listed(uow: UnitOfWork, *, since: datetime, until: datetime) -> list[Change]:
    """Changes from `since` to `until`, both included, oldest first; of very many the newest."""
    found: list[Change] = []
    before: int | None = None
    for _ in range(MAX_READ // PAGE):
        page = audit.listed(uow, before=before, limit=PAGE)
        for event in page:
            at = _instant(event.at)
            change = _change(event, at) if at is not None and since <= at <= until else None
            if change is not None:
                found.append(change)
        # A clock that was set back puts a few events out of order: a page wholly before the span ends the reading.
        if len(page) < PAGE or all(at is not None and at < since for at in map(_instant, (e.at for e in page))):
            break
        before = page[-1].seq
    return sorted(found, key=lambda each: each.at)


def kind_of(action: str) -> ChangeKind | None:
    """What an action of the audit trail changes, None for one that changes nothing that serves."""
    return next((kind for begin, kind in KINDS.items() if action.startswith(begin)), None)


def _change(event: AuditEvent, at: datetime) -> Change | None:
    kind = kind_of(event.action)
    if kind is None:
        return None
    return Change(
        at=at,
        kind=kind,
        subject=event.target,
        by=event.actor,
        action=event.action,
        ref=f"audit/{event.id}",
        before=_said(event.detail, _BEFORE),
        after=_said(event.detail, _AFTER),
    )


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _said(detail: dict[str, Any], names: tuple[str, ...]) -> str | None:
    """A value that a sentence can hold; a whole policy says nothing there."""
    found = next((detail[name] for name in names if detail.get(name) is not None), None)
    return str(found)[:200] if isinstance(found, str | int | float) else None
