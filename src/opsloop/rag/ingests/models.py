"""An ingest, the documents in it, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from opsloop.core.errors import NotFound
from opsloop.rag.models import CollectionName, DocumentId

IngestId = NewType("IngestId", str)


class IngestMissing(NotFound):
    template = "collection {collection!r} has no ingest {ingest!r}; list them with `opsloop rag ingests {collection}`"


class ItemState(StrEnum):
    """`waiting` until the job came to it; then what became of it, for good."""

    WAITING = "waiting"
    STORED = "stored"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Given:
    """A document as it was sent; `metadata` holds what filters may ask for.

    Attributes:
        url: where its bytes were fetched from; None when they were sent.
        refused: why there are no bytes to read, as a sentence.
    """

    filename: str
    data: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A document that is to be fetched from a URL; without a `filename` it is named after what is found there."""

    url: str
    filename: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ingest:
    """Documents that were sent together, counted by what became of them."""

    id: IngestId
    collection: CollectionName
    documents: int
    waiting: int
    stored: int
    duplicate: int
    refused: int
    created_at: datetime
    created_by: str

    @property
    def is_over(self) -> bool:
        return self.waiting == 0


@dataclass(frozen=True, slots=True)
class Item:
    """A document of an ingest; `reason` says why it was refused, `document_id` where it is."""

    number: int
    filename: str
    sha256: str
    size_bytes: int
    state: ItemState
    reason: str | None
    document_id: DocumentId | None
