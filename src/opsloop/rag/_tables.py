from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class CollectionRow(Row):
    """`version` names one content of the collection and never comes back: indexes in memory are kept under it."""

    __tablename__ = "rag_collections"

    name: Mapped[str] = mapped_column(primary_key=True)
    chunking: Mapped[str]
    vector_weight: Mapped[float | None]
    min_support: Mapped[float | None]
    version: Mapped[str]
    created_at: Mapped[datetime]


class EmbedderRow(Row):
    """The fitted embedder of a collection; its vectors are those of this identity."""

    __tablename__ = "rag_embedders"

    collection: Mapped[str] = mapped_column(ForeignKey("rag_collections.name", ondelete="CASCADE"), primary_key=True)
    identity: Mapped[str]
    explained: Mapped[float]
    fitted_windows: Mapped[int]
    windows_changed: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)


class DocumentRow(Row):
    __tablename__ = "rag_documents"
    __table_args__ = (UniqueConstraint("collection", "sha256"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    collection: Mapped[str] = mapped_column(ForeignKey("rag_collections.name", ondelete="CASCADE"))
    filename: Mapped[str] = mapped_column(index=True)
    sha256: Mapped[str]
    media_type: Mapped[str]
    chunks: Mapped[int]
    words: Mapped[int]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata")
    created_at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text, deferred=True)


class ChunkRow(Row):
    """What is shown; `heading_terms` are indexed with each of its windows."""

    __tablename__ = "rag_chunks"
    __table_args__ = (Index("ix_rag_chunks_document_number", "document_id", "number", unique=True),)

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    collection: Mapped[str] = mapped_column(index=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("rag_documents.id", ondelete="CASCADE"))
    number: Mapped[int]
    start: Mapped[int]
    end: Mapped[int]
    heading: Mapped[str]
    heading_terms: Mapped[bytes] = mapped_column(LargeBinary)
    passage_id: Mapped[str | None]
    # The document's text at [start:end], so that showing a passage does not read a document of megabytes.
    text: Mapped[str] = mapped_column(Text)


class WindowRow(Row):
    """What is matched: its terms as little-endian uint32 ids, its vector as little-endian float16."""

    __tablename__ = "rag_windows"
    __table_args__ = (Index("ix_rag_windows_collection_seq", "collection", "seq"),)

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    collection: Mapped[str]
    chunk_seq: Mapped[int] = mapped_column(ForeignKey("rag_chunks.seq", ondelete="CASCADE"), index=True)
    start: Mapped[int]
    end: Mapped[int]
    terms: Mapped[bytes] = mapped_column(LargeBinary)
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)
