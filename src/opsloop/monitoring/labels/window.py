"""Predicted rows with their labels, read back: for figures of performance, and as data to train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Select, func, select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.instants import instant_of, microseconds
from opsloop.monitoring.labels._tables import LabelRow
from opsloop.monitoring.labels.models import Labelled, LabelState, LabelValue
from opsloop.monitoring.predictions import service as predictions

MAX_LIMIT = 200_000
_AT_ONCE = 500
_JOINED = (LabelState.JOINED, LabelState.COUNTED)
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class LabelledWindow:
    """What an endpoint was sent, with what it really was.

    Args:
        inputs: rows in the order of the signature of the release that answered.
        releases: which one that was, of each row.
        served: rows that were predicted in the same time, labelled or not.
        since: when the oldest of the rows was predicted; None when there are none.
    """

    endpoint: str
    inputs: list[list[Any]]
    labels: list[LabelValue]
    predicted: list[LabelValue]
    predicted_at: list[datetime]
    request_ids: list[str]
    rows: list[int]
    releases: list[str]
    served: int
    since: datetime | None

    @property
    def labelled(self) -> int:
        return len(self.labels)

    @property
    def sentence(self) -> str:
        """How many of the rows have labels."""
        return f"{self.labelled:,} of {self.served:,} rows that {self.endpoint} predicted have labels"


def labelled(
    uow: UnitOfWork,
    endpoint: str,
    *,
    release: str | None = None,
    since: datetime | None = None,
    limit: int = 10_000,
) -> list[Labelled]:
    """Rows with labels, those that were predicted last first."""
    uow.by.require(Role.VIEWER)
    return [as_labelled(row) for row in uow.session.scalars(_newest(endpoint, release, since, limit))]


def labelled_window(
    uow: UnitOfWork,
    endpoint: str,
    *,
    since: datetime | None = None,
    rows: int | None = None,
    release: str | None = None,
) -> LabelledWindow:
    """The labelled rows of a time or of a number of rows, oldest first, with their inputs as long as these are kept."""
    found = labelled(uow, endpoint, release=release, since=since, limit=MAX_LIMIT if rows is None else rows)[::-1]
    keys = _keys(uow, found)
    inputs = _inputs(uow, endpoint, sorted(set(keys.values())))
    kept = [each for each in found if each.row < len(inputs.get(keys[each.seq], ()))]
    start = since if since is not None else (kept[0].predicted_at if kept else None)
    return LabelledWindow(
        endpoint=endpoint,
        inputs=[inputs[keys[each.seq]][each.row] for each in kept],
        labels=[each.label for each in kept],
        predicted=[each.predicted for each in kept],
        predicted_at=[each.predicted_at for each in kept],
        request_ids=[each.request_id for each in kept],
        rows=[each.row for each in kept],
        releases=[each.release for each in kept],
        served=predictions.count_rows(uow, endpoint, release=release, since=start),
        since=kept[0].predicted_at if kept else None,
    )


def _newest(endpoint: str, release: str | None, since: datetime | None, limit: int) -> Select[LabelRow]:
    query = select(LabelRow).where(LabelRow.endpoint == endpoint, LabelRow.state.in_(_JOINED))
    if release is not None:
        query = query.where(LabelRow.release == release)
    if since is not None:
        query = query.where(LabelRow.predicted_us >= microseconds(since))
    return query.order_by(LabelRow.predicted_us.desc(), LabelRow.seq.desc()).limit(max(0, min(limit, MAX_LIMIT)))


def _keys(uow: UnitOfWork, found: Sequence[Labelled]) -> dict[int, str]:
    keys: dict[int, str] = {}
    for start in range(0, len(found), _AT_ONCE):
        seqs = [each.seq for each in found[start : start + _AT_ONCE]]
        query = select(LabelRow.seq, LabelRow.key).where(LabelRow.seq.in_(seqs))
        keys |= {seq: str(key) for seq, key in uow.session.execute(query)}
    return keys


def _inputs(uow: UnitOfWork, endpoint: str, keys: Sequence[str]) -> dict[str, list[list[Any]]]:
    found: dict[str, list[list[Any]]] = {}
    for start in range(0, len(keys), _AT_ONCE):
        found |= predictions.inputs_of(uow, endpoint, keys[start : start + _AT_ONCE])
    return found


def count(uow: UnitOfWork, endpoint: str, *, release: str | None = None) -> int:
    """How many predicted rows of an endpoint, or of one release, have labels."""
    query = select(func.count()).where(LabelRow.endpoint == endpoint, LabelRow.state.in_(_JOINED))
    if release is not None:
        query = query.where(LabelRow.release == release)
    return uow.session.scalar(query) or 0


def as_labelled(row: LabelRow) -> Labelled:
    return Labelled(
        seq=row.seq,
        request_id=row.request_id,
        row=row.row,
        release=row.release or "",
        predicted=_decode(row.predicted or "null"),
        label=_decode(row.label),
        predicted_at=instant_of(row.predicted_us or 0),
        labelled_at=row.changed_at or row.created_at,
    )
