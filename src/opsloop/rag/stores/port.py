"""What a store of passages does. The state database stays the truth; a store holds a copy and is searched.

A document is replaced whole. What a store says it holds is told by `state`, which names one content of a document, its
vectors included: the same state twice is the same copy. Each call may raise `StoreAway`, and nothing else that the
caller could mend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from opsloop.core.errors import Unavailable
from opsloop.rag.models import Ranking

IN_PART = ""
"""The state of a document whose writing, or removal, was cut off, so that it is not found."""


class StoreAway(Unavailable):
    template = "the store {store} cannot be used: {reason}"


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """What is matched: a window of a chunk, with the number the state database gave it.

    Attributes:
        seq, chunk_seq: of the window and of its chunk; windows of a chunk follow each other.
        chunk: the chunk's number in the document, from 0.
        start, end: where it stands in the document's text.
        text: what stands there.
        heading_terms, terms: little-endian uint32 ids of the heading's terms and of its own, see `text.words`.
        vector: little-endian float16, of length 1; None while it is not made.
    """

    seq: int
    chunk_seq: int
    chunk: int
    start: int
    end: int
    page: int | None
    heading: str
    text: str
    heading_terms: bytes
    terms: bytes
    vector: bytes | None

    @property
    def all_terms(self) -> bytes:
        return self.heading_terms + self.terms


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document with its passages in reading order, as a store keeps it."""

    id: str
    filename: str
    sha256: str
    media_type: str
    metadata: Mapping[str, str]
    created_at: datetime
    state: str
    text: str
    passages: tuple[StoredPassage, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question to a store.

    Attributes:
        terms: of the question, each once.
        vector: of the question, little-endian float32, of length 1; None: words alone count.
        vector_weight: share of the vectors in the ranking, 0-1.
        filters: values a document must have, by `document_id`, `filename` or a key of its metadata.
        count: how many passages at most, >= 1.
        state: names the content of the collection; what a store learned of another state it learns anew.
    """

    question: str
    terms: tuple[str, ...]
    vector: bytes | None
    vector_weight: float
    ranking: Ranking
    filters: Mapping[str, Sequence[str]]
    count: int
    state: str

    @property
    def with_vectors(self) -> bool:
        return self.vector is not None and self.vector_weight > 0 and self.ranking != "words"


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found; the score orders the hits of one search, 0-1."""

    document_id: str
    seq: int
    score: float


@dataclass(frozen=True, slots=True)
class Hits:
    """Hits, the best first, and how rare each term of the question is in the collection."""

    hits: tuple[Hit, ...] = ()
    rarity: Mapping[str, float] = field(default_factory=dict)


class PassageStore(Protocol):
    """Threads may share one."""

    @property
    def name(self) -> str: ...

    def write(self, collection: str, documents: Sequence[StoredDocument]) -> None:
        """Put documents in, or in the place of what is there of them."""

    def remove(self, collection: str, document_ids: Sequence[str]) -> None:
        """Take documents out; those that are not there are no error."""

    def drop(self, collection: str) -> None:
        """Take all of a collection out; none is no error."""

    def held(self, collection: str) -> dict[str, str]:
        """The state of each document by its id; of one that is there in part, `IN_PART`."""

    def search(self, collection: str, wanted: Wanted) -> Hits:
        """The passages that match best; none when nothing does or nothing is there."""
