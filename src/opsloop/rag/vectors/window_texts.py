"""The texts of windows that an embedder is to read: the heading of their chunk, and their own."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from opsloop.core.workspace import UnitOfWork
from opsloop.rag._tables import ChunkRow, WindowRow

TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class WindowText:
    seq: int
    document_id: str
    text: str


def texts_of(uow: UnitOfWork, collection: str, wanted: ColumnElement[bool], *, after: int) -> list[WindowText]:
    """Of the windows that are `wanted` with a seq above `after`, the first 256."""
    chosen = (
        select(
            WindowRow.seq,
            ChunkRow.document_id,
            ChunkRow.heading,
            func.substr(ChunkRow.text, WindowRow.start - ChunkRow.start + 1, WindowRow.end - WindowRow.start),
        )
        .join(ChunkRow, ChunkRow.seq == WindowRow.chunk_seq)
        .where(WindowRow.collection == collection, wanted, WindowRow.seq > after)
        .order_by(WindowRow.seq)
        .limit(TEXTS_AT_ONCE)
    )
    rows = uow.session.execute(chosen).all()
    return [WindowText(seq, id, f"{heading}\n{text}" if heading else text) for seq, id, heading, text in rows]
