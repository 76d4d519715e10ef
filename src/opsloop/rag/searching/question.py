"""A question as vectors see it: its vector in a collection's space, and what vectors weigh there. Loads numpy."""

from __future__ import annotations

from opsloop.core.workspace import UnitOfWork
from opsloop.llm.embedders.port import Embedder
from opsloop.rag.index import retrieve
from opsloop.rag.index.postings import Floats
from opsloop.rag.models import LSA
from opsloop.rag.vectors import embedders


def weight(vector_weight: float | None, embedder: str | None, explained: float | None) -> float:
    """The share of the vectors in a collection's ranking, 0-1. Args: vector_weight: as set by hand."""
    if vector_weight is not None:
        return vector_weight
    if embedder is not None and embedder != LSA:
        return retrieve.ENCODER_WEIGHT
    return retrieve.trusted_weight(explained or 0.0)


def vector(
    uow: UnitOfWork, collection: str, name: str | None, space: str, fitted: Embedder | None, question: str
) -> Floats:
    """The question's vector in the space of a collection's vectors.

    Args:
        name: of the collection's embedder.
        fitted: the embedder itself, when it is fitted on the collection.
    Raises: EmbedderAway, EmbedderDiffers.
    """
    if fitted is not None:
        folded: Floats = fitted.embed([question])[0]
        return folded
    name = name or LSA
    embedder = embedders.named(uow.workspace.settings, collection, name)
    made: Floats = embedders.embedded(embedder, [question], collection=collection, name=name)[0]
    here = embedders.space_of(embedder, len(made))
    if here != space:
        raise embedders.EmbedderDiffers(name=collection, embedder=name, there=space, here=here)
    return made
