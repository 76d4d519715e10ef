"""Labels of a rollout's predictions in the order in which they came, for who compares its arms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring._tables import RequestRow
from opsloop.monitoring.labels._tables import LabelRow
from opsloop.monitoring.labels.models import LabelState, LabelValue
from opsloop.monitoring.predictions import service as predictions

_JOINED = (LabelState.JOINED, LabelState.COUNTED)
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Arrival:
    """A label, and what both arms predicted for its row.

    Args:
        seq: number of the label; readers remember the last one they saw.
        arm: which answered the caller.
        beside: what an attempt beside the answer predicted; None where there was none.
    """

    seq: int
    request_id: str
    row: int
    arm: str
    subject: str
    predicted: LabelValue
    beside: LabelValue | None
    label: LabelValue
    at: datetime


def after(uow: UnitOfWork, endpoint: str, rollout: str, seq: int, limit: int) -> list[Arrival]:
    """Labels of predictions that a rollout's arms made, after a number."""
    uow.by.require(Role.VIEWER)
    query = (
        select(LabelRow, RequestRow)
        .join(RequestRow, RequestRow.key == LabelRow.key)
        .where(
            LabelRow.endpoint == endpoint,
            LabelRow.seq > seq,
            LabelRow.state.in_(_JOINED),
            RequestRow.rollout == rollout,
        )
        .order_by(LabelRow.seq)
        .limit(limit)
    )
    found = uow.session.execute(query).all()
    beside = predictions.beside(uow, endpoint, {request.request_id for _, request in found})
    return [_arrival(label, request, beside.get(request.request_id, [])) for label, request in found]


def _arrival(label: LabelRow, request: RequestRow, beside: list[LabelValue]) -> Arrival:
    return Arrival(
        seq=label.seq,
        request_id=request.request_id,
        row=label.row,
        arm=request.arm,
        subject=request.subject,
        predicted=_decode(label.predicted or "null"),
        beside=beside[label.row] if label.row < len(beside) else None,
        label=_decode(label.label),
        at=label.created_at,
    )
