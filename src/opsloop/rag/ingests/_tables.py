from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row


class IngestRow(Row):
    __tablename__ = "rag_ingests"

    id: Mapped[str] = mapped_column(primary_key=True)
    collection: Mapped[str] = mapped_column(ForeignKey("rag_collections.name", ondelete="CASCADE"), index=True)
    # How many numbers were given out; each belongs to a document, or to one whose request did not come to its end.
    numbers: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class ItemRow(Row):
    """A document of an ingest. While its state is `waiting` its bytes are in the artifact store."""

    __tablename__ = "rag_ingest_items"
    __table_args__ = (
        Index("ix_rag_ingest_items_ingest_state", "ingest", "state"),
        Index("ix_rag_ingest_items_collection_sha256", "collection", "sha256"),
    )

    ingest: Mapped[str] = mapped_column(ForeignKey("rag_ingests.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    collection: Mapped[str]
    filename: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata")
    state: Mapped[str]
    reason: Mapped[str | None] = mapped_column(Text)
    document_id: Mapped[str | None]
