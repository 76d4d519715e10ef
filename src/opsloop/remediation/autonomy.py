"""How far a playbook may go here: the lower of what policy allows and what its record has earned.

Levels 1 to 4 need no record, for a person decides. A failure takes one of them away: the playbook goes back to single
commands, after a second one to advice, until as many verified successes came after the last failure as make it good
again. Level 5 needs a long record without a failure, an undo that was seen to work, an action that destroys nothing,
and the policy's word for it; in production also successes outside of it first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.releases.environments import NAMES, is_production
from opsloop.remediation._tables import RemediationRow
from opsloop.remediation.actions.registry import action_of
from opsloop.remediation.credible import lower_bound
from opsloop.remediation.environment import environments
from opsloop.remediation.models import FAILURES, SUCCESSES, Level, Record, Standing, State
from opsloop.remediation.playbooks.playbook import Playbook
from opsloop.remediation.playbooks.registry import playbooks
from opsloop.remediation.settings import RemediationSettings

DEFAULT_CEILING = Level.SCRIPT
MADE_GOOD = 3
"""Verified successes after a failure that give level 4 back."""
_OUTSIDE = tuple(each for each in NAMES if not is_production(each))
_COUNTED = [each.value for each in (*SUCCESSES, *FAILURES)]


def standings(uow: UnitOfWork) -> list[Standing]:
    """Every playbook's, in the order in which they are tried, in each environment that it can act in."""
    uow.by.require(Role.VIEWER)
    return [
        standing(uow, playbook, environment)
        for playbook in playbooks(uow.workspace).values()
        for environment in environments(uow, action_of(playbook.action) if playbook.action else None)
    ]


def standing(uow: UnitOfWork, playbook: Playbook, environment: str) -> Standing:
    settings = uow.workspace.section(RemediationSettings)
    found = record(uow, playbook.name, [environment], quiet_days=settings.remediation_quiet_days)
    outside = record(uow, playbook.name, _OUTSIDE, quiet_days=settings.remediation_quiet_days).since_failure
    ceiling = ceiling_of(settings, playbook.name)
    asked = settings.remediation_successes_outside if is_production(environment) else 0
    earned, missing = earn(found, playbook.action, settings, now=uow.clock.now(), lacks_outside=asked - outside)
    level = min(ceiling, earned)
    if ceiling <= earned and ceiling < Level.EXECUTION and playbook.action:
        missing = (f"the setting remediation_levels allows {playbook.name} level {ceiling.value} at most", *missing)
    return Standing(
        playbook.name,
        playbook.title,
        playbook.action,
        environment,
        level,
        ceiling,
        earned,
        missing,
        found,
        is_production(environment),
        outside,
    )


def ceiling_of(settings: RemediationSettings, playbook: str) -> Level:
    """What policy allows; of several patterns that fit the longest counts. Raises: InvalidInput."""
    fitting = [pattern for pattern in settings.remediation_levels if fnmatchcase(playbook, pattern)]
    if not fitting:
        return DEFAULT_CEILING
    given = settings.remediation_levels[max(fitting, key=len)]
    if given not in list(Level):
        raise InvalidInput(field="setting remediation_levels", value=given, wanted="a level from 1 to 5")
    return Level(given)


def record(uow: UnitOfWork, playbook: str, environments: Sequence[str], *, quiet_days: float) -> Record:
    """What became of its repairs that acted, rehearsals aside; of these only whether the undo worked."""
    here = (RemediationRow.playbook == playbook, RemediationRow.environment.in_(environments))
    live = select(RemediationRow.state, RemediationRow.finished_at).where(
        *here, RemediationRow.is_rehearsal.is_(False), RemediationRow.state.in_(_COUNTED)
    )
    proven = select(RemediationRow.finished_at).where(*here, RemediationRow.undo_works.is_(True))
    undone = uow.session.scalar(proven.order_by(RemediationRow.finished_at.desc()).limit(1))
    quiet_since = uow.clock.now() - timedelta(days=quiet_days)
    successes = failures = since = recent = 0
    last: datetime | None = None
    for state, at in uow.session.execute(live.order_by(RemediationRow.finished_at, RemediationRow.id)):
        if State(state) in SUCCESSES:
            successes, since = successes + 1, since + 1
        else:
            failures, since, last = failures + 1, 0, at
            recent += at is not None and at >= quiet_since
    return Record(successes, failures, since, recent, last, undone, lower_bound(successes, failures))


def earn(
    record: Record, action: str, settings: RemediationSettings, *, now: datetime, lacks_outside: int = 0
) -> tuple[Level, tuple[str, ...]]:
    """What a record gives, and what it lacks for the next level.

    Args:
        lacks_outside: verified successes that are still asked for outside of production; 0 or less: none.
    """
    if not action:
        return Level.CHECKLIST, ("it only asks and advises: it has no action",)
    if record.recent_failures and record.since_failure < MADE_GOOD:
        level = Level.COMMANDS if record.recent_failures == 1 else Level.CHECKLIST
        more = MADE_GOOD - record.since_failure
        return level, (f"{more} more verified successes after its failure of {record.last_failure_at:%Y-%m-%d}",)
    missing = tuple(_missing(record, action, settings, now))
    if lacks_outside > 0:
        said = f"{lacks_outside} more verified successes in a row outside of production"
        missing = (*missing, f"{said}, on endpoints that declare environment: staging, test or development")
    return (Level.SCRIPT, missing) if missing else (Level.EXECUTION, ())


def _missing(record: Record, action: str, settings: RemediationSettings, now: datetime) -> list[str]:
    found = action_of(action)
    said = []
    if found.destroys:
        said.append("its action destroys what cannot be had again, so a person decides every time")
    if record.since_failure < settings.remediation_successes:
        said.append(f"{record.since_failure} verified successes in a row of {settings.remediation_successes}")
    if record.lower_bound < settings.remediation_lower_bound:
        bound, needed = f"{record.lower_bound:.2f}", f"{settings.remediation_lower_bound:.2f}"
        said.append(f"its chance of success is above {bound} with 95 % credibility; level 5 needs {needed}")
    quiet = timedelta(days=settings.remediation_quiet_days)
    if record.last_failure_at is not None and now - record.last_failure_at < quiet:
        said.append(f"its failure of {record.last_failure_at:%Y-%m-%d} is less than {quiet.days} days ago")
    if not found.can_undo:
        said.append("its action has no undo")
    elif record.undo_proven_at is None:
        said.append("its undo was never seen to work here: rehearse it")
    return said
