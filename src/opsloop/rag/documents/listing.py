"""Documents and collections as people look through them: filtered, in an order, counted, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import func, select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.rag import collections
from opsloop.rag._tables import DocumentRow, EmbedderRow
from opsloop.rag.documents.service import document
from opsloop.rag.models import LSA, Collection, CollectionStats, Document

Sort = Literal["name", "words", "chunks", "uploaded"]
SORTS: tuple[Sort, ...] = get_args(Sort)
PAGE = 50
_COLUMNS = {
    "name": func.lower(DocumentRow.filename),
    "words": DocumentRow.words,
    "chunks": DocumentRow.chunks,
    "uploaded": DocumentRow.created_at,
}


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be seen of a collection: documents whose name contains `text`, the page with that number, from 1."""

    text: str = ""
    sort: Sort = "uploaded"
    descending: bool = True
    number: int = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """A page of documents, how long their texts are by id, and how many there are on all pages."""

    documents: tuple[Document, ...]
    characters: Mapping[str, int]
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True, slots=True)
class Shelf:
    """A collection with what it holds; `embedder` is None while no vectors are kept."""

    collection: Collection
    documents: int
    chunks: int
    embedder: str | None


def look(uow: UnitOfWork, collection: str, wanted: Look) -> Seen:
    """Raises: CollectionMissing."""
    collections.collection(uow, collection)
    inside = [DocumentRow.collection == collection]
    if wanted.text:
        inside.append(DocumentRow.filename.icontains(wanted.text, autoescape=True))
    column = _COLUMNS[wanted.sort]
    order = column.desc() if wanted.descending else column.asc()
    chosen = select(DocumentRow.id, func.length(DocumentRow.text)).where(*inside).order_by(order, DocumentRow.id)
    rows = uow.session.execute(chosen.offset((wanted.number - 1) * PAGE).limit(PAGE)).all()
    total = uow.session.scalar(select(func.count()).select_from(DocumentRow).where(*inside)) or 0
    found = tuple(document(uow, collection, row[0]) for row in rows)
    return Seen(found, {row[0]: int(row[1] or 0) for row in rows}, total)


def shelves(uow: UnitOfWork) -> list[Shelf]:
    """Every collection that the caller may see, by name, with what it holds."""
    uow.by.require(Role.VIEWER)
    holdings = uow.session.execute(
        select(DocumentRow.collection, func.count(), func.sum(DocumentRow.chunks)).group_by(DocumentRow.collection)
    )
    held = {name: (int(documents), int(chunks or 0)) for name, documents, chunks in holdings}
    fitted = uow.session.execute(select(EmbedderRow.collection, EmbedderRow.identity))
    embedders = {row.collection: row.identity for row in fitted}
    return [
        Shelf(each, *held.get(each.name, (0, 0)), embedders.get(each.name)) for each in collections.collections(uow)
    ]


def vector_share(collection: Collection, stats: CollectionStats) -> float | None:
    """The vectors' share in the collection's ranking, 0-1; None where no search can run (extra `rag`)."""
    if collection.vector_weight is not None:
        return collection.vector_weight
    try:
        from opsloop.rag.index.retrieve import ENCODER_WEIGHT, trusted_weight  # needs numpy, which is an extra
    except ModuleNotFoundError:
        return None
    return ENCODER_WEIGHT if collection.embedder != LSA else trusted_weight(stats.vectors_explain or 0.0)
