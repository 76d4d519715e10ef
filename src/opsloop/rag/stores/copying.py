"""Bring a store to what the state database says of a collection.

What the store holds and what it is to hold are compared document by document; only the difference is moved. A copy that
is cut off in the middle, or runs beside another, is finished by the next one: a copy ends when it finds no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from sqlalchemy import func, select

from opsloop.core.caller import system
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.rag._copies import content, is_elsewhere, state
from opsloop.rag._rows import collection_row
from opsloop.rag._tables import ChunkRow, CollectionRow, DocumentRow, EmbedderRow, WindowRow
from opsloop.rag.models import CollectionMissing
from opsloop.rag.stores import choice
from opsloop.rag.stores.port import PassageStore, StoredDocument, StoredPassage

_BY = system("documents")
# Documents read and written at once: as many as have about so many chunks, a large one by itself.
CHUNKS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a store is to hold: the state of each document and how many chunks it has."""

    store: str
    content: str
    states: dict[str, str]
    chunks: dict[str, int]


def copy(workspace: Workspace, collection: str, progress: Callable[[int, int], None] | None = None) -> int:
    """Make the store of a collection hold what the database says; returns how many documents were written.

    Raises: StoreAway, StoreNotSet.
    """
    written = 0
    while True:
        plan = _planned(workspace, collection)
        if plan is None:
            return written
        store = choice.named(workspace, plan.store)
        held = store.held(collection)
        gone = [id for id in held if id not in plan.states]
        new = [id for id in plan.states if held.get(id) != plan.states[id]]
        if not gone and not new:
            if _noted(workspace, collection, plan):
                return written
            continue
        if gone:
            store.remove(collection, gone)
        for batch in _batches(new, plan.chunks):
            written += _write(workspace, collection, store, batch)
            if progress is not None:
                progress(written, written + len(new))


def drop(workspace: Workspace, collection: str, store: str) -> None:
    """Take a deleted collection out of a store. One that was made anew meanwhile is copied instead.

    Raises: StoreAway, StoreNotSet.
    """
    there = _planned(workspace, collection)
    if there is not None and there.store == store:
        copy(workspace, collection)
        return
    choice.named(workspace, store).drop(collection)
    copy(workspace, collection)  # made anew while it was dropped: what was dropped is found missing


def _planned(workspace: Workspace, collection: str) -> _Plan | None:
    """None when the collection is gone or has no store elsewhere."""
    with workspace.reading(_BY) as uow:
        try:
            row = collection_row(uow, collection)
        except CollectionMissing:
            return None
        if not is_elsewhere(row) or row.store is None:
            return None
        space = _space(uow, collection)
        found = uow.session.execute(
            select(
                DocumentRow.id,
                DocumentRow.revision,
                DocumentRow.sha256,
                DocumentRow.filename,
                DocumentRow.metadata_,
                DocumentRow.chunks,
            ).where(DocumentRow.collection == collection, DocumentRow.chunks > 0)
        ).all()
        return _Plan(
            row.store,
            content(row.lineage, row.revision, space),
            {
                id: state(row.lineage, space, revision, sha256_=digest, filename=name, metadata=metadata)
                for id, revision, digest, name, metadata, _ in found
            },
            {each.id: each.chunks for each in found},
        )


def _space(uow: UnitOfWork, collection: str) -> str | None:
    return uow.session.scalar(select(EmbedderRow.identity).where(EmbedderRow.collection == collection))


def _batches(ids: Sequence[str], chunks: dict[str, int]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for id in ids:
        if batch and size + chunks[id] > CHUNKS_AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append(id)
        size += chunks[id]
    if batch:
        yield batch


def _write(workspace: Workspace, collection: str, store: PassageStore, ids: Sequence[str]) -> int:
    with workspace.reading(_BY) as uow:
        documents = _read(uow, collection, ids)
    if documents:
        store.write(collection, documents)
    return len(documents)


def _read(uow: UnitOfWork, collection: str, ids: Sequence[str]) -> list[StoredDocument]:
    """Documents as they are now; those that were deleted meanwhile are left out."""
    lineage = uow.session.scalar(select(CollectionRow.lineage).where(CollectionRow.name == collection))
    space = _space(uow, collection)
    documents = uow.session.execute(
        select(
            DocumentRow.id,
            DocumentRow.filename,
            DocumentRow.sha256,
            DocumentRow.media_type,
            DocumentRow.metadata_,
            DocumentRow.created_at,
            DocumentRow.revision,
            DocumentRow.text,
        ).where(DocumentRow.id.in_(ids))
    ).all()
    passages = _passages(uow, ids)
    return [
        StoredDocument(
            id=id,
            filename=filename,
            sha256=digest,
            media_type=media_type,
            metadata=metadata,
            created_at=created_at,
            state=state(lineage, space, revision, sha256_=digest, filename=filename, metadata=metadata),
            text=text,
            passages=passages.get(id, ()),
        )
        for id, filename, digest, media_type, metadata, created_at, revision, text in documents
    ]


def _passages(uow: UnitOfWork, ids: Sequence[str]) -> dict[str, tuple[StoredPassage, ...]]:
    rows = uow.session.execute(
        select(
            ChunkRow.document_id,
            WindowRow.seq,
            WindowRow.chunk_seq,
            ChunkRow.number,
            WindowRow.start,
            WindowRow.end,
            ChunkRow.page,
            ChunkRow.heading,
            func.substr(ChunkRow.text, WindowRow.start - ChunkRow.start + 1, WindowRow.end - WindowRow.start),
            ChunkRow.heading_terms,
            WindowRow.terms,
            WindowRow.vector,
        )
        .join(ChunkRow, ChunkRow.seq == WindowRow.chunk_seq)
        .where(ChunkRow.document_id.in_(ids))
        .order_by(ChunkRow.document_id, ChunkRow.number, WindowRow.seq)
    ).all()
    return {id: tuple(StoredPassage(*each[1:]) for each in own) for id, own in groupby(rows, key=itemgetter(0))}


def _noted(workspace: Workspace, collection: str, plan: _Plan) -> bool:
    """Note that the store holds that content; false when the collection has another one by now."""
    with workspace.writing(_BY) as uow:
        try:
            row = collection_row(uow, collection, for_change=True)
        except CollectionMissing:
            return True
        if row.store != plan.store or content(row.lineage, row.revision, _space(uow, collection)) != plan.content:
            return False
        row.store_holds = plan.content
        return True
