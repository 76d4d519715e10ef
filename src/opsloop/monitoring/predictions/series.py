"""Predicted rows and drift scores over time, for a chart."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Integer, cast, func, select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.instants import instant_of, microseconds
from opsloop.monitoring.predictions._tables import PredictionRow
from opsloop.monitoring.predictions.models import Prediction, ScorePoint
from opsloop.monitoring.predictions.service import as_prediction


def scores(
    uow: UnitOfWork, endpoint: str, *, window_s: int, points: int = 60, release: str | None = None
) -> list[ScorePoint]:
    """A window that ends now, cut into equal intervals, oldest first; empty ones are left out."""
    uow.by.require(Role.VIEWER)
    until_us = microseconds(uow.clock.now() + timedelta(microseconds=1))
    step_us = -(-window_s * 1_000_000 // points)
    from_us = until_us - window_s * 1_000_000
    interval = cast((PredictionRow.started_us - from_us) // step_us, Integer).label("interval")
    query = (
        select(interval, func.count(), func.sum(PredictionRow.rows), func.max(PredictionRow.drift_score))
        .where(
            PredictionRow.endpoint == endpoint,
            PredictionRow.is_answer.is_(True),
            PredictionRow.started_us >= from_us,
            PredictionRow.started_us < until_us,
        )
        .group_by(interval)
        .order_by(interval)
    )
    if release is not None:
        query = query.where(PredictionRow.release == release)
    return [
        ScorePoint(instant_of(from_us + place * step_us), int(requests), int(rows), score)
        for place, requests, rows, score in uow.session.execute(query)
    ]


def sampled(uow: UnitOfWork, endpoint: str, *, release: str, window_s: int, most: int) -> list[Prediction]:
    """Answers of a window that ends now, at most about so many of them, spread evenly, oldest first."""
    uow.by.require(Role.VIEWER)
    inside = (
        PredictionRow.endpoint == endpoint,
        PredictionRow.release == release,
        PredictionRow.is_answer.is_(True),
        PredictionRow.started_us >= microseconds(uow.clock.now() - timedelta(seconds=window_s)),
    )
    count = uow.session.scalar(select(func.count()).where(*inside)) or 0
    query = select(PredictionRow).where(*inside).order_by(PredictionRow.seq)
    if count > most:
        # A part of all numbers that no regular order of requests can miss or meet always.
        query = query.where((PredictionRow.seq * 40_503) % 65_536 < 65_536 * most // count)
    return [as_prediction(row) for row in uow.session.scalars(query.limit(2 * most))]
