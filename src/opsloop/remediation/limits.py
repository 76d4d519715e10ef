"""What keeps a repair from acting by itself although its playbook may: too much, too often, or everything is halted."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from opsloop.core.workspace import UnitOfWork
from opsloop.remediation import elapsed, halts
from opsloop.remediation._tables import RemediationRow
from opsloop.remediation.models import Reach
from opsloop.remediation.settings import RemediationSettings

HOUR = timedelta(hours=1)


def held_back(uow: UnitOfWork, target: str, reach: Reach) -> tuple[str, ...]:
    """Why a person has to decide this time, a sentence each; empty: it may act by itself."""
    settings = uow.workspace.section(RemediationSettings)
    said = []
    if (halt := halts.present(uow)) is not None:
        said.append(f"repairs are halted by {halt.began_by}: {halt.reason}")
    if reach.endpoints > settings.remediation_most_endpoints:
        said.append(f"it touches {reach.endpoints} endpoints; by itself it may {settings.remediation_most_endpoints}")
    if reach.resources > settings.remediation_most_resources:
        said.append(f"it touches {reach.resources} resources; by itself it may {settings.remediation_most_resources}")
    acted = select(func.count()).where(RemediationRow.by_itself.is_(True), RemediationRow.acted_at.is_not(None))
    in_hour = uow.session.scalar(acted.where(elapsed.acted_within(uow.clock, HOUR))) or 0
    if in_hour >= settings.remediation_most_per_hour:
        said.append(f"{in_hour} repairs acted by themselves in the last hour; the most is that")
    cooling = timedelta(seconds=settings.remediation_cooldown_s)
    again = acted.where(RemediationRow.target == target, elapsed.acted_within(uow.clock, cooling))
    if uow.session.scalar(again):
        said.append(f"{target} was repaired within the last {settings.remediation_cooldown_s:g} s already")
    return tuple(said)
