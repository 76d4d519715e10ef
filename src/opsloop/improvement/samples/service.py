"""Declare how live answers of endpoints are scored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import Conflict, NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.improvement.samples import rhythm
from opsloop.improvement.samples._tables import ScoringRow
from opsloop.improvement.samples.declared import parse
from opsloop.improvement.samples.models import Scoring
from opsloop.monitoring.texts import service as texts
from opsloop.releases import service as releases


class NoTexts(Conflict):
    template = (
        "endpoint {endpoint} keeps no answers that could be scored; say `keep_texts: true` of it in opsloop.yaml first"
    )


def declare(uow: UnitOfWork, endpoint: str, given: Mapping[str, Any]) -> Scoring:
    """Score answers of an endpoint that are given from now on; it replaces what was declared before.

    Raises: NotFound, NoTexts, InvalidInput naming the key.
    """
    uow.by.require(Role.OPERATOR)
    scoring = parse(endpoint, given)
    if releases.endpoint(uow, endpoint).endpoint.keep_texts is None:
        raise NoTexts(endpoint=endpoint)
    row = uow.session.get(ScoringRow, endpoint, with_for_update=True)
    if row is None:
        row = ScoringRow(endpoint=endpoint, done_seq=texts.last_seq(uow, endpoint))
        uow.session.add(row)
    row.declared, row.changed_at, row.changed_by = dict(given), uow.clock.now(), uow.by.name
    rhythm.keep(uow)
    uow.audit("endpoint.scoring", f"endpoint/{endpoint}", evaluators=[each.name for each in scoring.measures])
    return scoring


def get(uow: UnitOfWork, endpoint: str) -> Scoring:
    """Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    row = uow.session.get(ScoringRow, endpoint)
    if row is None:
        raise NotFound(f"live answers of endpoint {endpoint!r} are not scored")
    return parse(endpoint, row.declared)


def withdraw(uow: UnitOfWork, endpoint: str) -> None:
    """Score no more; scores that are there stay. Raises: NotFound."""
    uow.by.require(Role.OPERATOR)
    row = uow.session.get(ScoringRow, endpoint)
    if row is None:
        raise NotFound(f"live answers of endpoint {endpoint!r} are not scored")
    uow.session.delete(row)
    rhythm.keep(uow)
    uow.audit("endpoint.scoring", f"endpoint/{endpoint}", evaluators=[])


def endpoints(uow: UnitOfWork) -> list[str]:
    """Whose live answers are scored."""
    uow.by.require(Role.VIEWER)
    return list(uow.session.scalars(select(ScoringRow.endpoint).order_by(ScoringRow.endpoint)))
