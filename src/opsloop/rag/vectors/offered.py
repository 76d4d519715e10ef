"""The embedder behind a name that programs know. Loads numpy."""

from __future__ import annotations

from collections.abc import Sequence

from opsloop.core.workspace import UnitOfWork
from opsloop.llm.embedders.port import Embedder
from opsloop.rag._tables import EmbedderRow
from opsloop.rag.models import LSA
from opsloop.rag.vectors import embedders, fitting
from opsloop.rag.vectors.embedders import Floats


def embedder_of(uow: UnitOfWork, collection: str | None, name: str) -> Embedder | None:
    """None when it is fitted and there was nothing to fit it on yet. Raises: EmbedderAway."""
    if name != LSA:
        return embedders.named(uow.workspace.settings, collection or name, name)
    kept = uow.session.get(EmbedderRow, collection)
    return None if kept is None else fitting.stored(kept)


def embedded(embedder: Embedder, texts: Sequence[str], collection: str, name: str) -> Floats:
    """Raises: EmbedderAway."""
    return embedders.embedded(embedder, texts, collection=collection, name=name)
