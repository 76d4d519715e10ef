"""Metric points of other services as they are stored, for whoever watches or compares them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.telemetry._tables import PointRow, SeriesRow


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """Args: kind: as `models.Series` has it; attributes: JSON text."""

    id: str
    service: str
    name: str
    unit: str
    kind: str
    attributes: str


@dataclass(frozen=True, slots=True)
class PointLine:
    """Args: count: of observations, for a histogram or summary, whose value is their sum."""

    at_us: int
    value: float
    count: int | None


def series(
    uow: UnitOfWork, *, seen_since_us: int, limit: int, services: Collection[str] | None = None
) -> list[SeriesLine]:
    """Series that got points since an instant, the oldest id first. It is noted hourly that one got points.

    Args:
        services: only theirs; None: of all.
    """
    uow.by.require(Role.VIEWER)
    query = select(SeriesRow).where(SeriesRow.seen_us >= seen_since_us).order_by(SeriesRow.id).limit(limit)
    if services is not None:
        query = query.where(SeriesRow.service.in_(list(services)))
    return [
        SeriesLine(row.id, row.service, row.name, row.unit, row.kind, row.attributes)
        for row in uow.session.scalars(query)
    ]


def points(uow: UnitOfWork, series_id: str, *, after_us: int, until_us: int, limit: int) -> list[PointLine]:
    """Points after an instant and up to another, oldest first."""
    uow.by.require(Role.VIEWER)
    query = (
        select(PointRow.at_us, PointRow.value, PointRow.count)
        .where(PointRow.series == series_id, PointRow.at_us > after_us, PointRow.at_us <= until_us)
        .order_by(PointRow.at_us)
        .limit(limit)
    )
    return [PointLine(at_us, value, count) for at_us, value, count in uow.session.execute(query)]


def newest(uow: UnitOfWork, series_id: str, *, after_us: int, until_us: int, limit: int) -> list[PointLine]:
    """As `points`, of very many the newest."""
    uow.by.require(Role.VIEWER)
    query = (
        select(PointRow.at_us, PointRow.value, PointRow.count)
        .where(PointRow.series == series_id, PointRow.at_us > after_us, PointRow.at_us <= until_us)
        .order_by(PointRow.at_us.desc())
        .limit(limit)
    )
    return [PointLine(at_us, value, count) for at_us, value, count in uow.session.execute(query)][::-1]
