"""Collections: made, listed, weighed, counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.rag import access
from opsloop.rag._copies import is_copied
from opsloop.rag._rows import as_collection, collection_row, count
from opsloop.rag._tables import (
    ChangeoverRow,
    ChangeoverVectorRow,
    ChunkRow,
    CollectionRow,
    DocumentRow,
    EmbedderRow,
    WindowRow,
)
from opsloop.rag.models import (
    EMBEDDED,
    Changeover,
    Collection,
    CollectionExists,
    CollectionMissing,
    CollectionName,
    CollectionStats,
)
from opsloop.rag.settings import EMBEDDER, RagSettings
from opsloop.rag.stores import choice
from opsloop.rag.text.chunk import CHUNKINGS

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
MAX_RETENTION_DAYS = 36_500
DEFAULT_CHUNKING = "sentences-200"


def create_collection(
    uow: UnitOfWork,
    name: str,
    *,
    chunking: str = DEFAULT_CHUNKING,
    vector_weight: float | None = None,
    embedder: str | None = None,
    store: str | None = None,
) -> Collection:
    """Raises: InvalidInput, CollectionExists, StoreNotSet, ExtraNeeded.

    Args:
        embedder: `lsa`, `onnx:FOLDER` or `openai:MODEL`; None: the one that OPSLOOP_RAG_EMBEDDER names.
        store: `embedded` or a store that is set; None: the one that OPSLOOP_RAG_STORE names.
    """
    uow.by.require(Role.DEVELOPER)
    embedder = embedder if embedder is not None else uow.workspace.section(RagSettings).rag_embedder
    check_embedder(embedder)
    _check_new(name, chunking, vector_weight)
    store = store if store is not None else uow.workspace.section(RagSettings).rag_store
    if store != EMBEDDED:
        choice.named(uow.workspace, store)
    row = CollectionRow(
        name=name,
        chunking=chunking,
        vector_weight=vector_weight,
        version=uow.ids.new("index"),
        created_at=uow.clock.now(),
        embedder=embedder,
        store=store,
    )
    try:
        with uow.session.begin_nested():
            uow.session.add(row)
    except IntegrityError as error:
        raise CollectionExists(name=name) from error
    uow.audit("collection.created", f"collection/{name}", chunking=chunking, store=store)
    return as_collection(row)


def _check_new(name: str, chunking: str, vector_weight: float | None) -> None:
    if not _NAME.fullmatch(name):
        wanted = "1 to 63 lower-case letters, digits, - and _, the first a letter or digit"
        raise InvalidInput(field="collection", value=name, wanted=wanted)
    if chunking not in CHUNKINGS:
        raise InvalidInput(field="chunking", value=chunking, wanted=" or ".join(CHUNKINGS))
    _check_weight(vector_weight)


def check_embedder(name: str) -> None:
    """Raises: InvalidInput."""
    if not re.fullmatch(EMBEDDER, name):
        raise InvalidInput(field="embedder", value=name, wanted="lsa, onnx:FOLDER or openai:MODEL")


def _check_weight(vector_weight: float | None) -> None:
    if vector_weight is not None and not 0 <= vector_weight <= 1:
        raise InvalidInput(field="vector_weight", value=vector_weight, wanted="a number from 0 to 1")


def collections(uow: UnitOfWork) -> list[Collection]:
    """Those that the caller may read, by name."""
    uow.by.require(Role.VIEWER)
    rows = uow.session.scalars(select(CollectionRow).order_by(CollectionRow.name))
    return [as_collection(row) for row in rows if access.allows(uow.by, row.readers, row.writers)]


def collection(uow: UnitOfWork, name: str) -> Collection:
    """Raises: CollectionMissing."""
    uow.by.require(Role.VIEWER)
    return as_collection(collection_row(uow, name))


def changeable(uow: UnitOfWork, name: str) -> Collection:
    """The collection, for a caller who may change it. Raises: CollectionMissing, CollectionClosed."""
    uow.by.require(Role.DEVELOPER)
    return as_collection(collection_row(uow, name, for_change=True, is_locked=False))


def weigh(uow: UnitOfWork, name: str, vector_weight: float | None) -> Collection:
    """Set the share of vectors in a collection's ranking, 0-1; None: as much as the embedder explains.

    Raises: InvalidInput, CollectionMissing.
    """
    uow.by.require(Role.DEVELOPER)
    _check_weight(vector_weight)
    row = collection_row(uow, name, for_change=True)
    row.vector_weight = vector_weight
    row.version = uow.ids.new("index")
    uow.session.flush()
    uow.audit("collection.weighed", f"collection/{name}", vector_weight=vector_weight)
    return as_collection(row)


def give_access(
    uow: UnitOfWork, name: str, *, readers: Sequence[str] | None, writers: Sequence[str] | None
) -> Collection:
    """Set who may read a collection and who may change it; None opens it to whoever has the role for it.

    Raises: InvalidInput naming what is no caller and no role; CollectionMissing.
    """
    uow.by.require(Role.ADMIN)
    row = collection_row(uow, name, for_change=True)
    row.readers, row.writers = access.checked("readers", readers), access.checked("writers", writers)
    uow.session.flush()
    uow.audit("collection.access_given", f"collection/{name}", readers=row.readers, writers=row.writers)
    return as_collection(row)


def retain(uow: UnitOfWork, name: str, days: int | None) -> Collection:
    """Set the age in days at which documents of a collection are deleted; None keeps them.

    Raises: InvalidInput, CollectionMissing.
    """
    uow.by.require(Role.DEVELOPER)
    if days is not None and not 1 <= days <= MAX_RETENTION_DAYS:
        wanted = f"a whole number of days from 1 to {MAX_RETENTION_DAYS}, or none to keep documents"
        raise InvalidInput(field="days", value=days, wanted=wanted)
    row = collection_row(uow, name, for_change=True)
    row.retention_days = days
    uow.session.flush()
    uow.audit("collection.retention_set", f"collection/{name}", days=days)
    return as_collection(row)


def stats(uow: UnitOfWork, collection: str) -> CollectionStats:
    """Raises: CollectionMissing."""
    uow.by.require(Role.VIEWER)
    row = collection_row(uow, collection)
    embedder = uow.session.get(EmbedderRow, collection)
    words = uow.session.scalar(select(func.sum(DocumentRow.words)).where(DocumentRow.collection == collection))
    windows = count(uow, WindowRow, collection)
    return CollectionStats(
        collection=CollectionName(row.name),
        documents=count(uow, DocumentRow, collection),
        chunks=count(uow, ChunkRow, collection),
        windows=windows,
        words=int(words or 0),
        embedder=embedder.identity if embedder else None,
        vectors_explain=round(embedder.explained, 4) if embedder else None,
        changeover=_changeover(uow, collection, windows),
        store=row.store or EMBEDDED,
        is_copied=is_copied(row, embedder.identity if embedder else None),
    )


def _changeover(uow: UnitOfWork, collection: str, windows: int) -> Changeover | None:
    row = uow.session.get(ChangeoverRow, collection)
    if row is None:
        return None
    done = count(uow, ChangeoverVectorRow, collection)
    return Changeover(row.embedder, done, windows, row.asked_at, row.error)


def row_or_new(uow: UnitOfWork, name: str) -> CollectionRow:
    """The collection to write to, made when it is not there."""
    try:
        return collection_row(uow, name, for_change=True)
    except CollectionMissing:
        pass
    with suppress(CollectionExists):  # somebody else may have made it a moment ago
        create_collection(uow, name)
    return collection_row(uow, name, for_change=True)
