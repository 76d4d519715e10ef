"""Look at remediations, say yes or no to them, undo them, rehearse a playbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.incidents import service as incidents
from opsloop.remediation import _rows, elapsed, ending, halts, proposing
from opsloop.remediation._tables import RemediationRow, VoteRow
from opsloop.remediation.actions.registry import action_of, preview_of
from opsloop.remediation.errors import (
    AnotherShown,
    CannotRenew,
    NothingToUndo,
    NotTheSamePerson,
    NotWaiting,
    OnlyAdvice,
    QuestionLapsed,
)
from opsloop.remediation.events import RemediationDecided, RemediationProposed
from opsloop.remediation.halts import BELL
from opsloop.remediation.models import Level, Remediation, State
from opsloop.remediation.playbooks.playbook import Fit
from opsloop.remediation.playbooks.registry import playbook_of

MOST_LISTED = 1_000
LONGEST_REASON = 1_000
RENEWED = (State.PROPOSED, State.EXPIRED, State.VOID)


def listed(
    uow: UnitOfWork,
    *,
    state: State | None = None,
    incident: str | None = None,
    endpoint: str | None = None,
    waiting: bool = False,
    before: str | None = None,
    limit: int = 100,
) -> list[Remediation]:
    """The newest first.

    Args:
        waiting: only those that somebody's yes would make act.
        before: only those that were asked before this one.
    Raises: NotFound.
    """
    uow.by.require(Role.VIEWER)
    query = select(RemediationRow).order_by(RemediationRow.asked_at.desc(), RemediationRow.id.desc())
    for column, wanted in (
        (RemediationRow.state, state.value if state is not None else None),
        (RemediationRow.incident, incident),
        (RemediationRow.endpoint, endpoint),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if waiting:
        acts = (RemediationRow.action != "", RemediationRow.level >= Level.COMMANDS.value)
        query = query.where(RemediationRow.state == State.PROPOSED.value, *acts, elapsed.not_lapsed(uow.clock))
    if before is not None:
        last = _found(uow, before)
        query = query.where(
            (RemediationRow.asked_at < last.asked_at)
            | ((RemediationRow.asked_at == last.asked_at) & (RemediationRow.id < last.id))
        )
    rows = uow.session.scalars(query.limit(max(1, min(limit, MOST_LISTED)))).all()
    votes = _votes(uow, [row.id for row in rows])
    return [_noun(uow, row, votes[row.id]) for row in rows]


def get(uow: UnitOfWork, remediation: str) -> Remediation:
    """Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    row = _found(uow, remediation)
    return _noun(uow, row, _votes(uow, [row.id])[row.id])


def propose(workspace: Workspace, by: Caller, incident: str) -> list[Remediation]:
    """Look again for what could be done about an incident; what is new. Raises: NotFound."""
    by.require(Role.OPERATOR)
    return proposing.propose(workspace, incident)


def approve(uow: UnitOfWork, remediation: str, *, digest: str, reason: str = "") -> Remediation:
    """Say yes to what was shown; it acts once enough people did.

    Args:
        digest: of what was shown, or its first 16 characters or more.
    Raises: NotFound, NotWaiting, OnlyAdvice, QuestionLapsed, AnotherShown, NotTheSamePerson, Halted, InvalidInput.
    """
    row = _asked(uow, remediation, digest)
    halts.check(uow)
    votes = _votes(uow, [row.id])[row.id]
    if row.asked_by == uow.by.name:
        raise NotTheSamePerson(caller=uow.by.name, did="asked for", remediation=row.id)
    if any(each.by == uow.by.name and each.is_yes and each.digest == row.digest for each in votes):
        raise NotTheSamePerson(caller=uow.by.name, did="approved", remediation=row.id)
    _vote(uow, row, is_yes=True, reason=reason)
    yes = {each.by for each in _votes(uow, [row.id])[row.id] if each.is_yes and each.digest == row.digest}
    more = f", {row.needed - len(yes)} more to go" if len(yes) < row.needed else ""
    _note(uow, row, f"{row.title}: approved by {uow.by.name}{more}", approved_by=uow.by.name)
    if len(yes) >= row.needed:
        proposing.start(uow, row, by_itself=False)
    return get(uow, row.id)


def reject(uow: UnitOfWork, remediation: str, *, reason: str, digest: str = "") -> Remediation:
    """Say no; it never acts. Raises: InvalidInput, NotFound, NotWaiting, AnotherShown."""
    if not reason.strip():
        raise InvalidInput(field="reason", value=reason, wanted="why, for the record")
    row = _locked(uow, remediation)
    if row.state != State.PROPOSED.value:
        raise NotWaiting(remediation=row.id, state=row.state)
    _check_digest(row, digest)
    _vote(uow, row, is_yes=False, reason=reason)
    ending.end(uow, row, State.REJECTED, f"rejected by {uow.by.name}: {reason.strip()}")
    return get(uow, row.id)


def undo(uow: UnitOfWork, remediation: str, *, reason: str) -> Remediation:
    """Have a repair that acted taken back, whatever its checks say. Raises: InvalidInput, NotFound, NothingToUndo."""
    row = _locked(uow, remediation)
    reason = _reason(reason)
    if row.state not in (State.CHECKING.value, State.HELPED.value, State.NOT_HELPED.value):
        raise NothingToUndo(remediation=row.id, state=row.state, why="is not in a state that can be taken back")
    if row.undo is None:
        raise NothingToUndo(remediation=row.id, state=row.state, why="its action has no undo")
    row.state, row.outcome = State.UNDOING.value, f"undo asked by {uow.by.name}: {reason}"
    row.finished_at = None
    uow.audit("remediation.undo_asked", row.target, remediation=row.id, reason=reason)
    _note(uow, row, f"{row.title}: {row.outcome}")
    jobs.enqueue(uow, proposing.RUN, {"remediation": row.id, "endpoint": row.endpoint}, id=f"remediate:{row.id}:undo")
    uow.ring(BELL)
    return get(uow, row.id)


def renew(workspace: Workspace, by: Caller, remediation: str) -> Remediation:
    """Ask again with what is true now: a new dry run, a new level, a new time.

    Raises: NotFound, CannotRenew, Conflict of the dry run.
    """
    with workspace.reading(by) as uow:
        uow.by.require(Role.OPERATOR)
        row = _found(uow, remediation)
        if State(row.state) not in RENEWED:
            raise CannotRenew(remediation=row.id, state=row.state)
        shown = _noun(uow, row, ())
    fit = Fit(
        shown.target,
        shown.because,
        shown.questions,
        shown.checklist,
        shown.against,
        shown.parameters or None,
        shown.endpoint,
    )
    found = proposing.tried(workspace, playbook_of(workspace, shown.playbook), fit)
    with workspace.writing(by) as uow:
        row = _locked(uow, remediation)
        if State(row.state) not in RENEWED:
            raise CannotRenew(remediation=row.id, state=row.state)
        row.state, row.outcome, row.finished_at = State.PROPOSED.value, "", None
        proposing.fill(uow, row, found)
        if row.level == Level.EXECUTION:  # a person asked, so a person decides
            row.level, row.needed = Level.SCRIPT.value, 1
            row.why_level = ["somebody asked for it again, so somebody decides"]
        uow.audit("remediation.renewed", row.target, remediation=row.id, digest=row.digest)
        again = get(uow, row.id)
        said = again.preview.sentence if again.preview is not None else again.title
        uow.emit(
            RemediationProposed(
                row.id, row.incident or "", row.playbook, row.endpoint, row.level, waits=again.waits, sentence=said
            )
        )
        uow.ring(BELL)
        return again


def rehearse(workspace: Workspace, by: Caller, playbook: str, parameters: dict[str, Any]) -> Remediation:
    """Do a playbook's action and take it back at once, so that its undo is known to work here.

    What it works on is really changed for a moment.

    Raises: InvalidInput, Halted, NothingToUndo, and what the dry run raises.
    """
    found = playbook_of(workspace, playbook)
    if not found.action or not (action := action_of(found.action)).can_undo:
        raise InvalidInput(field="playbook", value=playbook, wanted="one whose action has an undo")
    parsed = action.parse(parameters)
    endpoint = str(parameters.get("endpoint", ""))
    target = f"endpoint/{endpoint}" if endpoint else found.name
    fit = Fit(target, ("somebody rehearses it",), (), (), parameters=parameters, endpoint=endpoint)
    preview = preview_of(workspace, action, parsed)
    if preview.holds:
        raise InvalidInput(f"playbook {playbook} is not rehearsed so: {'; '.join(preview.holds)}", field="parameters")
    candidate = proposing.Candidate(found, fit, action, parsed, preview)
    with workspace.writing(by) as uow:
        uow.by.require(Role.OPERATOR)
        halts.check(uow)
        row = proposing.new_row(uow, candidate, incident=None)
        row.is_rehearsal = True
        uow.session.add(row)
        proposing.fill(uow, row, candidate)
        row.needed = 0
        uow.audit("remediation.rehearsed", row.target, remediation=row.id, playbook=playbook, digest=row.digest)
        proposing.start(uow, row, by_itself=False)
        return get(uow, row.id)


def void(uow: UnitOfWork, incident: str, why: str) -> None:
    """Let go of what was proposed for an incident that is over."""
    query = select(RemediationRow).where(
        RemediationRow.incident == incident, RemediationRow.state == State.PROPOSED.value
    )
    for row in uow.session.scalars(query):
        ending.end(uow, row, State.VOID, why)


def _asked(uow: UnitOfWork, remediation: str, digest: str) -> RemediationRow:
    row = _locked(uow, remediation)
    if row.state != State.PROPOSED.value:
        raise NotWaiting(remediation=row.id, state=row.state)
    if not row.action or not Level(row.level).acts:
        raise OnlyAdvice(remediation=row.id, level=row.level, playbook=row.playbook)
    if elapsed.is_lapsed(row, uow.clock):
        raise QuestionLapsed(remediation=row.id, at=f"{row.expires_at:%Y-%m-%d %H:%MZ}")
    _check_digest(row, digest)
    return row


def _check_digest(row: RemediationRow, digest: str) -> None:
    if digest and (len(digest) < 16 or not row.digest.startswith(digest)):
        raise AnotherShown(remediation=row.id, digest=digest[:16])


def _vote(uow: UnitOfWork, row: RemediationRow, *, is_yes: bool, reason: str) -> None:
    if len(reason) > LONGEST_REASON or "\0" in reason:
        raise InvalidInput(field="reason", value=reason, wanted=f"at most {LONGEST_REASON} characters")
    uow.session.add(
        VoteRow(
            remediation=row.id,
            by=uow.by.name,
            is_yes=is_yes,
            reason=reason.strip(),
            digest=row.digest,
            at=uow.clock.now(),
        )
    )
    uow.session.flush()
    uow.emit(RemediationDecided(row.id, row.incident or "", row.playbook, row.endpoint, uow.by.name, is_yes))
    word = "approved" if is_yes else "rejected"
    uow.audit(f"remediation.{word}", row.target, remediation=row.id, digest=row.digest, reason=reason.strip())
    uow.ring(BELL)


def _note(uow: UnitOfWork, row: RemediationRow, said: str, **detail: Any) -> None:
    if row.incident is not None:
        incidents.record(uow, row.incident, "remediation", said, remediation=row.id, **detail)


def _reason(given: str) -> str:
    if not given.strip() or len(given) > LONGEST_REASON or "\0" in given:
        raise InvalidInput(field="reason", value=given, wanted=f"why, in 1 to {LONGEST_REASON} characters")
    return given.strip()


def _noun(uow: UnitOfWork, row: RemediationRow, votes: Iterable[VoteRow]) -> Remediation:
    return _rows.remediation(row, votes, is_lapsed=elapsed.is_lapsed(row, uow.clock))


def _votes(uow: UnitOfWork, remediations: Sequence[str]) -> Mapping[str, list[VoteRow]]:
    """Those of each, the oldest first."""
    found: dict[str, list[VoteRow]] = {each: [] for each in remediations}
    query = select(VoteRow).where(VoteRow.remediation.in_(remediations)).order_by(VoteRow.seq)
    for each in uow.session.scalars(query) if remediations else ():
        found[each.remediation].append(each)
    return found


def _found(uow: UnitOfWork, remediation: str) -> RemediationRow:
    row = uow.session.get(RemediationRow, remediation) if "\0" not in remediation else None
    if row is None:
        raise NotFound(noun="remediation", name=remediation)
    return row


def _locked(uow: UnitOfWork, remediation: str) -> RemediationRow:
    uow.by.require(Role.OPERATOR)
    _found(uow, remediation)
    query = select(RemediationRow).where(RemediationRow.id == remediation).with_for_update()
    return uow.session.scalars(query.execution_options(populate_existing=True)).one()
