"""Labels that the performance tests have not counted yet, in the order they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from opsloop.core.db.order import one_after_another
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.labels._tables import LabelRow
from opsloop.monitoring.labels.models import Labelled, LabelState
from opsloop.monitoring.labels.window import as_labelled

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Uncounted:
    endpoint: str
    labelled: Labelled


def any_uncounted(uow: UnitOfWork) -> bool:
    return uow.session.scalar(select(LabelRow.seq).where(LabelRow.state == LabelState.JOINED).limit(1)) is not None


def uncounted(uow: UnitOfWork, *, limit: int) -> list[Uncounted]:
    """Whoever asks counts them in this transaction: others wait for its end."""
    one_after_another(uow.session, LabelRow.__tablename__)
    query = select(LabelRow).where(LabelRow.state == LabelState.JOINED).order_by(LabelRow.seq).limit(limit)
    return [Uncounted(row.endpoint, as_labelled(row)) for row in uow.session.scalars(query)]


def note_counted(uow: UnitOfWork, counted: Sequence[Uncounted]) -> None:
    for start in range(0, len(counted), _AT_ONCE):
        seqs = [each.labelled.seq for each in counted[start : start + _AT_ONCE]]
        uow.session.execute(update(LabelRow).where(LabelRow.seq.in_(seqs)).values(state=LabelState.COUNTED))
