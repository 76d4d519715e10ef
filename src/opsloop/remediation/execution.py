"""Do it, check it, undo it: each step is one transaction from one state of a remediation to the next.

Before it acts everything is looked at again: no halt, a yes that is not too old, a target that nobody else works on and
that is still what was shown. An action of ours is done in the transaction that also notes it. One on another system is
announced before and noted after; when a process ends between the two, it is done again only if that is as doing it
once, and otherwise a person has to look.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from opsloop.core.db.database import DatabaseAway, DatabaseBusy, DatabaseFull, DatabaseLocked
from opsloop.core.errors import OpsloopError, Unavailable
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.incidents import service as incidents
from opsloop.remediation import _rows, autonomy, elapsed, halts, limits
from opsloop.remediation._tables import RemediationRow
from opsloop.remediation.actions.action import Inside, Outside, Parameters
from opsloop.remediation.actions.registry import action_of
from opsloop.remediation.by import BY
from opsloop.remediation.checks import registry as checks
from opsloop.remediation.checks.case import Case
from opsloop.remediation.checks.verdict import verdict
from opsloop.remediation.ending import end
from opsloop.remediation.environment import environment_of
from opsloop.remediation.events import RemediationActed
from opsloop.remediation.halts import BELL
from opsloop.remediation.models import Done, Finding, Level, Reach, State
from opsloop.remediation.playbooks.registry import working_playbooks
from opsloop.remediation.settings import RemediationSettings

DATABASE = (DatabaseAway, DatabaseBusy, DatabaseFull, DatabaseLocked)


@dataclass(frozen=True, slots=True)
class _Told:
    """What is to be done outside of a transaction."""

    action: Outside[Any]
    parameters: Parameters
    why: str
    revision: str
    known: dict[str, Any]
    is_repeated: bool


def step(workspace: Workspace, remediation: str) -> bool:
    """Take the next step; whether there is another one. Raises: Unavailable while the database is away."""
    with workspace.reading(BY) as uow:
        row = uow.session.get(RemediationRow, remediation)
        state = State(row.state) if row is not None else State.VOID
        is_outside = row is not None and bool(row.action) and isinstance(action_of(row.action), Outside)
    if state in (State.APPROVED, State.ACTING):
        (_act_outside if is_outside else _act_inside)(workspace, remediation)
    elif state is State.CHECKING:
        _check(workspace, remediation, _looked(workspace, remediation) if is_outside else ())
    elif state is State.UNDOING:
        (_undo_outside if is_outside else _undo_inside)(workspace, remediation)
    return not state.is_over


def waits(workspace: Workspace, remediation: str) -> bool:
    """Whether its next step is only worth trying after a while."""
    with workspace.reading(BY) as uow:
        row = uow.session.get(RemediationRow, remediation)
        return row is not None and row.state in (State.APPROVED.value, State.CHECKING.value)


def give_up(workspace: Workspace, remediation: str, said: str) -> None:
    """End what cannot go on. Args: said: why, as a sentence."""
    _ended(workspace, remediation, State.UNKNOWN, said)


def _act_inside(workspace: Workspace, remediation: str) -> None:
    try:
        with workspace.writing(BY) as uow:
            row = _locked(uow, remediation)
            if not _may_act(uow, row):
                return
            action = action_of(row.action)
            assert isinstance(action, Inside)
            parameters = action.parse(row.parameters)
            if _is_stale(uow, row, action.preview(uow, parameters).revision):
                return
            _acted(uow, row, action.act(uow, parameters, why=_why(row)))
    except DATABASE:
        raise
    except OpsloopError as error:
        _ended(workspace, remediation, State.FAILED, error.sentence)


def _act_outside(workspace: Workspace, remediation: str) -> None:
    told = _announced(workspace, remediation)
    if told is None:
        return
    if told.is_repeated and not told.action.can_repeat:
        said = "the process ended while it acted, so nobody knows whether it did; look at the target"
        _ended(workspace, remediation, State.UNKNOWN, said)
        return
    try:
        if not told.is_repeated:
            now = told.action.preview(workspace, told.parameters).revision
            if now != told.revision:
                _ended(workspace, remediation, State.VOID, _stale(told.revision, now))
                return
        done = told.action.act(workspace, told.parameters, key=remediation, why=told.why)
    except Unavailable as error:
        said = f"{error.sentence}; it may have been done, look at the target"
        _ended(workspace, remediation, State.UNKNOWN, said)
    except OpsloopError as error:
        _ended(workspace, remediation, State.FAILED, error.sentence)
    else:
        _noted(workspace, remediation, done)


def _noted(workspace: Workspace, remediation: str, done: Done) -> None:
    """Note what was done outside; where another process took over and ended the repair meanwhile, only that it was."""
    with workspace.writing(BY) as uow:
        row = _locked(uow, remediation)
        if row.state == State.ACTING.value:
            _acted(uow, row, done)
            return
        if row.acted:  # the other process did it too, and noted it
            return
        row.acted = done.sentence
        elapsed.act(row, uow.clock)
        said = f"{row.title}: {done.sentence}; that was known only after it ended as {row.state}"
        if row.incident is not None:
            incidents.record(uow, row.incident, "remediation", said, remediation=row.id, state=row.state)
        uow.audit("remediation.acted", row.target, remediation=row.id, action=row.action, said=said)


def _announced(workspace: Workspace, remediation: str) -> _Told | None:
    with workspace.writing(BY) as uow:
        row = _locked(uow, remediation)
        is_repeated = row.state == State.ACTING.value
        if not is_repeated and not _may_act(uow, row):
            return None
        row.state = State.ACTING.value
        uow.ring(BELL)
        return _told(row, is_repeated=is_repeated)


def _told(row: RemediationRow, *, is_repeated: bool = False) -> _Told:
    action = action_of(row.action)
    assert isinstance(action, Outside)
    revision = row.preview["revision"] if row.preview else ""
    return _Told(action, action.parse(row.parameters), _why(row), revision, row.undo or {}, is_repeated)


def _may_act(uow: UnitOfWork, row: RemediationRow) -> bool:
    """Whether it acts now; when it never will, it ends here, and when somebody else works on its target, it waits."""
    if row.state != State.APPROVED.value:
        return False
    settings = uow.workspace.section(RemediationSettings)
    if (halt := halts.present(uow)) is not None:
        end(uow, row, State.VOID, f"repairs are halted by {halt.began_by}: {halt.reason}")
        return False
    if row.by_itself and (why := _may_no_more(uow, row)):
        end(uow, row, State.VOID, f"it may not act by itself any more: {'; '.join(why)}")
        return False
    if elapsed.is_lapsed(row, uow.clock, grace_s=settings.remediation_approval_s):
        end(uow, row, State.EXPIRED, "its turn did not come while its approval was good")
        return False
    others = select(RemediationRow.id).where(RemediationRow.busy == row.target, RemediationRow.id != row.id)
    if uow.session.scalar(others) is not None:
        return False
    row.busy = row.target
    return True


def _may_no_more(uow: UnitOfWork, row: RemediationRow) -> tuple[str, ...]:
    """Why nobody may be left out any more, a sentence each: another repair may have failed since it was proposed."""
    if (environment := environment_of(uow, row.parameters)) != row.environment:
        return (f"its endpoint is now of {environment}, and was of {row.environment}",)
    playbook = working_playbooks(uow.workspace).get(row.playbook)
    if playbook is None:
        return (f"there is no playbook {row.playbook} any more",)
    standing = autonomy.standing(uow, playbook, environment)
    if standing.level < Level.EXECUTION:
        return standing.missing
    preview = _rows.preview(row.preview)
    return limits.held_back(uow, row.target, preview.reach if preview is not None else Reach())


def _is_stale(uow: UnitOfWork, row: RemediationRow, now: str) -> bool:
    shown = row.preview["revision"] if row.preview else ""
    if now == shown:
        return False
    end(uow, row, State.VOID, _stale(shown, now))
    return True


def _stale(shown: str, now: str) -> str:
    return f"its target changed after it was shown: it was {shown}, and is {now}"


def _acted(uow: UnitOfWork, row: RemediationRow, done: Done) -> None:
    row.state = State.UNDOING.value if row.is_rehearsal else State.CHECKING.value
    row.acted, row.undo = done.sentence, done.undo
    elapsed.act(row, uow.clock)
    if row.incident is not None:
        detail: dict[str, Any] = {
            "remediation": row.id,
            "state": row.state,
            "did": done.sentence,
            "by_itself": row.by_itself,
        }
        incidents.record(uow, row.incident, "remediation", f"{row.title}: {done.sentence}", **detail)
    uow.audit(
        "remediation.acted",
        row.target,
        remediation=row.id,
        action=row.action,
        parameters=row.parameters,
        by_itself=row.by_itself,
        said=done.sentence,
    )
    uow.emit(RemediationActed(row.id, row.incident or "", row.playbook, row.endpoint, row.by_itself, done.sentence))
    uow.ring(BELL)


def _looked(workspace: Workspace, remediation: str) -> tuple[Finding, ...]:
    with workspace.reading(BY) as uow:
        told = _told(uow.session.get_one(RemediationRow, remediation))
    try:
        found = told.action.look(workspace, told.parameters)
    except OpsloopError as error:
        found = Finding(told.action.kind, "unclear", error.sentence)
    return (found,) if found is not None else ()


def _check(workspace: Workspace, remediation: str, outside: tuple[Finding, ...]) -> None:
    """Args: outside: what the system that it acted on says itself."""
    settings = workspace.section(RemediationSettings)
    within_s = settings.remediation_check_s
    with workspace.reading(BY) as uow:
        row = uow.session.get_one(RemediationRow, remediation)
        assert row.acted_at is not None
        watched_s, back_s = elapsed.watched_s(row, uow.clock), elapsed.set_back_s(row, uow.clock)
        case = Case(row.incident, row.endpoint, row.acted_at, settings.remediation_check_requests, back_s)
        found = (*checks.look(uow, case), *outside)
        is_known = row.findings == [asdict(each) for each in found]
        can_undo = row.undo is not None
    if watched_s is None:  # another machine watches now, or this one was started anew
        _watch_anew(workspace, remediation)
        watched_s = 0.0
    # What was stamped before the clock came back to where it was proves nothing, so as much more time is given once.
    said, why = verdict(found, is_late=watched_s >= within_s + min(back_s, within_s))
    if said == "wait" and is_known:
        return
    with workspace.writing(BY) as uow:
        row = _locked(uow, remediation)
        if row.state != State.CHECKING.value:
            return
        row.findings = [asdict(each) for each in found]
        if said == "helped":
            end(uow, row, State.HELPED, why)
        elif said == "worse" and can_undo:
            row.state, row.outcome = State.UNDOING.value, f"it got worse: {why}"
            if row.incident is not None:
                note = f"{row.title}: {row.outcome}; it is undone"
                incidents.record(uow, row.incident, "remediation", note, remediation=row.id, state=row.state)
        elif said == "worse":
            end(uow, row, State.NOT_HELPED, f"it got worse, and its action has no undo: {why}")
        elif said == "not helped" and back_s:
            end(uow, row, State.UNKNOWN, f"the clock was set back by {back_s:.0f} s while it was checked: {why}")
        elif said == "not helped":
            end(uow, row, State.NOT_HELPED, why)
        uow.ring(BELL)


def _watch_anew(workspace: Workspace, remediation: str) -> None:
    with workspace.writing(BY) as uow:
        row = _locked(uow, remediation)
        if row.state == State.CHECKING.value:
            elapsed.watch_anew(row, uow.clock)


def _undo_inside(workspace: Workspace, remediation: str) -> None:
    try:
        with workspace.writing(BY) as uow:
            row = _locked(uow, remediation)
            if row.state != State.UNDOING.value:
                return
            action = action_of(row.action)
            assert isinstance(action, Inside)
            _undone(uow, row, action.undo(uow, action.parse(row.parameters), row.undo or {}, why=_why_undone(row)))
    except DATABASE:
        raise
    except OpsloopError as error:
        _not_undone(workspace, remediation, error)


def _undo_outside(workspace: Workspace, remediation: str) -> None:
    with workspace.reading(BY) as uow:
        row = uow.session.get_one(RemediationRow, remediation)
        told, why = _told(row), _why_undone(row)
    try:
        said = told.action.undo(workspace, told.parameters, told.known, why=why)
    except OpsloopError as error:
        _not_undone(workspace, remediation, error)
    else:
        with workspace.writing(BY) as uow:
            _undone(uow, _locked(uow, remediation), said)


def _undone(uow: UnitOfWork, row: RemediationRow, said: str) -> None:
    row.undo, row.undo_works = None, True
    if row.is_rehearsal:
        end(uow, row, State.REHEARSED, f"{row.acted}; {said}")
    else:
        end(uow, row, State.UNDONE, f"{row.outcome}; {said}" if row.outcome else said)


def _not_undone(workspace: Workspace, remediation: str, error: OpsloopError) -> None:
    with workspace.writing(BY) as uow:
        row = _locked(uow, remediation)
        row.undo_works = False
        before = f"{row.outcome}; " if row.outcome else ""
        end(uow, row, State.UNKNOWN, f"{before}the undo failed, look at the target: {error.sentence}")


def _ended(workspace: Workspace, remediation: str, state: State, said: str) -> None:
    with workspace.writing(BY) as uow:
        row = _locked(uow, remediation)
        if not State(row.state).is_over:
            end(uow, row, state, said)


def _why(row: RemediationRow) -> str:
    about = f"for incident {row.incident}" if row.incident is not None else "as a rehearsal"
    return f"remediation {row.id} {about}"


def _why_undone(row: RemediationRow) -> str:
    if row.is_rehearsal:
        return f"the rehearsal {row.id} is over"
    return f"remediation {row.id} is undone" + (f": {row.outcome}" if row.outcome else "")


def _locked(uow: UnitOfWork, remediation: str) -> RemediationRow:
    query = select(RemediationRow).where(RemediationRow.id == remediation).with_for_update()
    return uow.session.scalars(query.execution_options(populate_existing=True)).one()
