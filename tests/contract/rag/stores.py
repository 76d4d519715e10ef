"""Passages to put into a store, and questions to it: three documents about animals and a canteen, vectors by hand."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from opsloop.rag.models import Ranking
from opsloop.rag.stores.port import StoredDocument, StoredPassage, Wanted
from opsloop.rag.text.words import term_ids, terms

COLLECTION = "animals"
AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
# Axes: animals, food, machines, and one that nothing lies on.
CATS, CANTEEN, LAPTOP = (1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0)


def document(
    number: int,
    *texts: str,
    vectors: Sequence[Sequence[float] | None] = (),
    state: str = "first",
    metadata: Mapping[str, str] | None = None,
    heading: str = "",
) -> StoredDocument:
    """A document whose texts are each a chunk of one window; its numbers begin at 100 times its own."""
    passages = []
    at = 0
    for place, text in enumerate(texts):
        vector = vectors[place] if place < len(vectors) else None
        passages.append(
            StoredPassage(
                seq=100 * number + place,
                chunk_seq=100 * number + place,
                chunk=place,
                start=at,
                end=at + len(text),
                page=None,
                heading=heading,
                text=text,
                heading_terms=term_ids(heading).tobytes(),
                terms=term_ids(text).tobytes(),
                vector=None if vector is None else struct.pack(f"<{len(vector)}e", *vector),
            )
        )
        at += len(text) + 1
    return StoredDocument(
        id=f"doc_{number:026d}",
        filename=f"{number}.txt",
        sha256=f"{number:064x}",
        media_type="text/plain",
        metadata=dict(metadata or {}),
        created_at=AT,
        state=state,
        text=" ".join(texts),
        passages=tuple(passages),
    )


PETS = document(
    1,
    "Cats purr on the sofa.",
    "Dogs bark at the gate.",
    vectors=[CATS, (0.8, 0.0, 0.6, 0.0)],
    metadata={"team": "home"},
)
MEALS = document(2, "The canteen opens at noon.", vectors=[CANTEEN], metadata={"team": "work", "site": 'Jena\'s "A"'})
DEVICES = document(3, "A lost laptop is reported.", vectors=[LAPTOP], metadata={"team": "work"}, heading="Security")
ALL = (PETS, MEALS, DEVICES)


def asked(
    question: str,
    vector: Sequence[float] | None = None,
    *,
    weight: float = 0.5,
    ranking: Ranking = "fused",
    filters: Mapping[str, Sequence[str]] | None = None,
    count: int = 10,
    state: str = "first",
) -> Wanted:
    return Wanted(
        question=question,
        terms=tuple(dict.fromkeys(terms(question))),
        vector=None if vector is None else struct.pack(f"<{len(vector)}f", *vector),
        vector_weight=weight,
        ranking=ranking,
        filters=dict(filters or {}),
        count=count,
        state=state,
    )
