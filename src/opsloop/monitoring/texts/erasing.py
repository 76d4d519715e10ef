"""Texts that quote a document which is deleted go with it."""

from __future__ import annotations

from sqlalchemy import delete, select

from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.texts._tables import RequestTextRow
from opsloop.rag.deletion.erasing import Erased, keeper

_AT_ONCE = 200


@keeper("request_texts")
def erase(uow: UnitOfWork, erased: Erased) -> int:
    """Delete the texts of every request that name or quote one of the documents; returns of how many requests."""
    rows = uow.session.scalars(select(RequestTextRow).execution_options(yield_per=_AT_ONCE))
    quoting = [row.seq for row in rows if erased.is_in([row.question, row.answer])]
    for at in range(0, len(quoting), _AT_ONCE):
        uow.session.execute(delete(RequestTextRow).where(RequestTextRow.seq.in_(quoting[at : at + _AT_ONCE])))
    return len(quoting)
