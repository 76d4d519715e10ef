"""Make the vectors that are missing: of a collection whose embedder is an encoder or a server. Loads numpy.

Texts are embedded outside of any transaction, some at a time; each batch is written by itself, so that a job that is
killed goes on where it was, and what has no vector yet is found by its words.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import bindparam, func, select, update

from opsloop.core.caller import system
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.llm.embedders.port import Embedder
from opsloop.rag._rows import collection_row
from opsloop.rag._tables import CollectionRow, DocumentRow, EmbedderRow, WindowRow
from opsloop.rag.models import CollectionMissing
from opsloop.rag.vectors import embedders
from opsloop.rag.vectors.indexing import embedder_row, is_fitted, revise
from opsloop.rag.vectors.window_texts import WindowText, texts_of

_BY = system("documents")


def embed(workspace: Workspace, collection: str, progress: Callable[[int, int], None] | None = None) -> int:
    """Give every window of a collection a vector; returns how many were made. Nothing for the fitted embedder.

    Raises: EmbedderAway; EmbedderDiffers when the collection holds vectors of another space.
    """
    done, after = 0, -1
    while True:
        with workspace.reading(_BY) as uow:
            name = _embedder_of(uow, collection)
            texts = texts_of(uow, collection, WindowRow.vector.is_(None), after=after) if name is not None else []
            left = _left(uow, collection) if texts else 0
        if name is None or not texts:
            return done
        embedder = embedders.named(workspace.settings, collection, name)
        _store(workspace, collection, name, embedder, texts)
        done, after = done + len(texts), texts[-1].seq
        if progress is not None:
            progress(done, done + left - len(texts))


def _embedder_of(uow: UnitOfWork, collection: str) -> str | None:
    """The name of an embedder that is not fitted; None when there is nothing to do."""
    try:
        row = collection_row(uow, collection)
    except CollectionMissing:  # deleted meanwhile
        return None
    return None if is_fitted(row) else row.embedder


def _left(uow: UnitOfWork, collection: str) -> int:
    missing = (WindowRow.collection == collection, WindowRow.vector.is_(None))
    return uow.session.scalar(select(func.count()).where(*missing)) or 0


def _store(workspace: Workspace, collection: str, name: str, embedder: Embedder, texts: list[WindowText]) -> None:
    vectors = embedders.embedded(embedder, [each.text for each in texts], collection=collection, name=name)
    halves = vectors.astype("<f2")
    values = [{"of": each.seq, "put": half.tobytes()} for each, half in zip(texts, halves, strict=True)]
    with workspace.writing(_BY) as uow:
        try:
            row = collection_row(uow, collection, for_change=True)
        except CollectionMissing:
            return
        if row.embedder != name:
            return
        _check_space(uow, row, name, embedders.space_of(embedder, vectors.shape[1]))
        statement = update(WindowRow.__table__).where(WindowRow.seq == bindparam("of")).values(vector=bindparam("put"))  # type: ignore[arg-type]  # __table__ is typed as a FromClause
        uow.session.connection().execute(statement, values)
        ids = {each.document_id for each in texts}
        uow.session.execute(update(DocumentRow).where(DocumentRow.id.in_(ids)).values(revision=None))
        revise(uow, row)


def _check_space(uow: UnitOfWork, row: CollectionRow, name: str, space: str) -> None:
    """Note the space of a collection's first vectors; later ones must be of the same."""
    kept = uow.session.get(EmbedderRow, row.name)
    if kept is None:
        uow.session.add(embedder_row(row.name, space))
        uow.session.flush()
    elif kept.identity != space:
        raise embedders.EmbedderDiffers(name=row.name, embedder=name, there=kept.identity, here=space)
