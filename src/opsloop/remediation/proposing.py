"""Proposals: which playbooks fit an incident, what each would do, how far it may go, and what a yes would be given to.

Dry runs may ask other systems, so they are made outside of any transaction; what they found is stored in one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

import rfc8785
import structlog
from sqlalchemy import select

from opsloop.core.artifacts.store import sha256_hex
from opsloop.core.errors import OpsloopError
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.incidents import service as incidents
from opsloop.incidents.models import Incident, IncidentState
from opsloop.remediation import _rows, autonomy, elapsed, limits
from opsloop.remediation._tables import RemediationRow
from opsloop.remediation.actions.action import Action, Parameters
from opsloop.remediation.actions.registry import action_of, preview_of
from opsloop.remediation.by import BY
from opsloop.remediation.environment import environment_of
from opsloop.remediation.events import RemediationProposed
from opsloop.remediation.halts import BELL
from opsloop.remediation.levels.content import content
from opsloop.remediation.models import Level, Preview, Remediation, State
from opsloop.remediation.playbooks.playbook import Fit, Playbook
from opsloop.remediation.playbooks.registry import working_playbooks
from opsloop.remediation.settings import RemediationSettings

log = structlog.get_logger()
RUN = "remediation.run"
"""The kind of job that acts, checks and undoes."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A playbook that fits, with its dry run. `trouble`: why it cannot act; empty when it can."""

    playbook: Playbook
    fit: Fit
    action: Action | None = None
    parameters: Parameters | None = None
    preview: Preview | None = None
    trouble: str = ""


def propose(workspace: Workspace, incident: str) -> list[Remediation]:
    """Propose what fits an incident that is not closed; what is proposed already stays as it is. Raises: NotFound."""
    with workspace.reading(BY) as uow:
        found = incidents.get(uow, incident)
        fits = [] if found.state is IncidentState.CLOSED else list(_fitting(uow, found))
    candidates = [tried(workspace, playbook, fit) for playbook, fit in fits]
    with workspace.writing(BY) as uow:
        stored = [_store(uow, found, each) for each in candidates]
    return [each for each in stored if each is not None]


def tried(workspace: Workspace, playbook: Playbook, fit: Fit) -> Candidate:
    """A fit with the dry run of its action."""
    if not playbook.action or fit.parameters is None:
        return Candidate(playbook, fit)
    try:
        action = action_of(playbook.action)
        parameters = action.parse(fit.parameters)
        return Candidate(playbook, fit, action, parameters, preview_of(workspace, action, parameters))
    except OpsloopError as error:
        return Candidate(playbook, fit, trouble=error.sentence)


def fill(uow: UnitOfWork, row: RemediationRow, found: Candidate) -> None:
    """Write what is true now into a remediation: its level, what is shown at it, and what a yes would be given to."""
    settings = uow.workspace.section(RemediationSettings)
    row.environment = environment_of(uow, found.fit.parameters or {})
    level, why = _level(uow, found, row.environment)
    shown = content(
        found.playbook.title,
        found.fit,
        level,
        action=found.action,
        parameters=found.parameters,
        preview=found.preview,
        incident=row.incident,
    )
    row.level, row.why_level = level.value, list(why)
    row.because, row.against = list(found.fit.because), list(found.fit.against)
    row.questions, row.checklist, row.commands = list(shown.questions), list(shown.checklist), list(shown.commands)
    row.script = shown.script
    row.action = found.playbook.action if found.action is not None else ""
    row.parameters = found.parameters.model_dump(mode="json") if found.parameters is not None else {}
    row.preview = _plain(found.preview) if found.preview else None
    four_eyes = any(fnmatchcase(row.playbook, pattern) for pattern in settings.remediation_four_eyes)
    row.needed = 0 if level is Level.EXECUTION else 2 if four_eyes else 1
    elapsed.ask(row, uow.clock, settings.remediation_approval_s)
    row.digest = _digest(row, asking=uow.ids.new("asking"))
    uow.session.flush()


def start(uow: UnitOfWork, row: RemediationRow, *, by_itself: bool) -> None:
    """Let it act when its turn comes."""
    row.state, row.by_itself = State.APPROVED.value, by_itself
    jobs.enqueue(uow, RUN, {"remediation": row.id, "endpoint": row.endpoint}, id=f"remediate:{row.digest}")
    uow.ring(BELL)


def _fitting(uow: UnitOfWork, incident: Incident) -> Iterable[tuple[Playbook, Fit]]:
    """A team's playbook that breaks is left out, and the others go on."""
    for playbook in working_playbooks(uow.workspace).values():
        try:
            yield from [(playbook, fit) for fit in playbook.fits(uow, incident)]
        except Exception:  # a team's own code
            log.exception("playbook_failed", playbook=playbook.name, incident=incident.id)


def _store(uow: UnitOfWork, incident: Incident, found: Candidate) -> Remediation | None:
    """None when this very thing is proposed already."""
    active = f"{incident.id} {found.playbook.name} {found.fit.target}"
    if uow.session.scalar(select(RemediationRow.id).where(RemediationRow.active == active)) is not None:
        return None
    row = new_row(uow, found, incident=incident.id)
    row.active = active
    uow.session.add(row)
    fill(uow, row, found)
    by_itself = row.level == Level.EXECUTION
    if by_itself:
        start(uow, row, by_itself=True)
    _tell(uow, row, by_itself=by_itself)
    return _rows.remediation(row, is_lapsed=False)


def new_row(uow: UnitOfWork, found: Candidate, *, incident: str | None) -> RemediationRow:
    now = uow.clock.now()
    return RemediationRow(
        id=uow.ids.new("remediation"),
        incident=incident,
        playbook=found.playbook.name,
        title=found.playbook.title,
        target=found.fit.target,
        endpoint=found.fit.endpoint,
        environment="",
        level=Level.QUESTIONS.value,
        why_level=[],
        state=State.PROPOSED.value,
        is_rehearsal=False,
        active=None,
        busy=None,
        because=[],
        against=[],
        questions=[],
        checklist=[],
        commands=[],
        script="",
        action="",
        parameters={},
        preview=None,
        digest="",
        needed=1,
        asked_by=uow.by.name,
        asked_at=now,
        expires_at=now,
        acted_at=None,
        acted="",
        by_itself=False,
        undo=None,
        undo_works=None,
        findings=[],
        finished_at=None,
        outcome="",
    )


def _level(uow: UnitOfWork, found: Candidate, environment: str) -> tuple[Level, tuple[str, ...]]:
    standing = autonomy.standing(uow, found.playbook, environment)
    if found.action is None or found.preview is None:
        why = (f"its dry run failed: {found.trouble}",) if found.trouble else standing.missing
        return min(standing.level, Level.CHECKLIST), why
    if standing.level is not Level.EXECUTION:
        return standing.level, standing.missing
    held = (*found.preview.holds, *limits.held_back(uow, found.fit.target, found.preview.reach))
    if held:
        return Level.SCRIPT, held
    record = standing.record
    earned = f"{record.since_failure} verified successes in a row, chance of success above {record.lower_bound:.2f}"
    return Level.EXECUTION, (f"earned: {earned}, its undo was seen to work",)


def _plain(preview: Preview) -> dict[str, Any]:
    return asdict(preview) | {"changes": list(preview.changes), "holds": list(preview.holds)}


def _digest(row: RemediationRow, *, asking: str) -> str:
    shown: dict[str, Any] = {
        "asking": asking,  # a yes is for one asking: asked again, it is given again
        "incident": row.incident,
        "playbook": row.playbook,
        "environment": row.environment,
        "level": row.level,
        "needed": row.needed,
        "action": row.action,
        "parameters": row.parameters,
        "preview": row.preview,
        "because": row.because,
        "against": row.against,
    }
    return sha256_hex(rfc8785.dumps(shown))


def _tell(uow: UnitOfWork, row: RemediationRow, *, by_itself: bool) -> None:
    waits = bool(row.action) and Level(row.level).acts and not by_itself
    sentence = row.preview["sentence"] if row.preview else row.title
    said = f"{row.title} (level {row.level}): {sentence}" + ("; it waits for a yes" if waits else "")
    if row.incident is not None:
        acts = bool(row.action) and Level(row.level).acts
        detail: dict[str, Any] = {"remediation": row.id, "title": row.title, "level": row.level, "acts": acts}
        incidents.record(uow, row.incident, "remediation", said, **detail)
    uow.audit(
        "remediation.proposed",
        row.target,
        remediation=row.id,
        incident=row.incident,
        playbook=row.playbook,
        level=row.level,
        digest=row.digest,
        why=list(row.why_level),
    )
    uow.emit(RemediationProposed(row.id, row.incident or "", row.playbook, row.endpoint, row.level, waits, sentence))
    uow.ring(BELL)
