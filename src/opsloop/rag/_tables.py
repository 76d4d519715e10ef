from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from opsloop.core.db.base import Row

BigSerial = BigInteger().with_variant(Integer(), "sqlite")


class CollectionRow(Row):
    """`version` names one content of the collection and never comes back: indexes in memory are kept under it.

    `revision` counts its changes, within `lineage`: a collection that is deleted and made again has another. `embedder`
    is what makes its vectors, in the form of `vectors/embedders.py`; unset: the offline default. `store` is where it is
    searched; unset: the embedded index. `store_holds` names the content that was last copied there whole.
    """

    __tablename__ = "rag_collections"

    name: Mapped[str] = mapped_column(primary_key=True)
    chunking: Mapped[str]
    vector_weight: Mapped[float | None]
    min_support: Mapped[float | None]
    version: Mapped[str]
    created_at: Mapped[datetime]
    lineage: Mapped[str | None]
    revision: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    embedder: Mapped[str | None]
    # Names of callers, or `role:…`; unset: whoever has the role for it.
    readers: Mapped[list[Any] | None]
    writers: Mapped[list[Any] | None]
    # Days after which a document is deleted; unset: never.
    retention_days: Mapped[int | None]
    store: Mapped[str | None]
    store_holds: Mapped[str | None]


class EmbedderRow(Row):
    """The fitted embedder of a collection; its vectors are those of this identity."""

    __tablename__ = "rag_embedders"

    collection: Mapped[str] = mapped_column(ForeignKey("rag_collections.name", ondelete="CASCADE"), primary_key=True)
    identity: Mapped[str]
    explained: Mapped[float]
    fitted_windows: Mapped[int]
    windows_changed: Mapped[int]
    # Twenty megabytes for a large collection: read only where a process does not have it yet.
    data: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class ChangeoverRow(Row):
    """A collection on its way to the vectors of an embedder, often another one. Until all are made, the old ones serve.

    `space` is that of its first vectors; `error` why it ended and the collection stayed as it was.
    """

    __tablename__ = "rag_changeovers"

    collection: Mapped[str] = mapped_column(ForeignKey("rag_collections.name", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str]
    embedder: Mapped[str]
    space: Mapped[str | None]
    asked_at: Mapped[datetime]
    error: Mapped[str | None] = mapped_column(Text)


class ChangeoverVectorRow(Row):
    """A window's vector of the embedder that a collection is on its way to."""

    __tablename__ = "rag_changeover_vectors"

    window_seq: Mapped[int] = mapped_column(
        BigSerial, ForeignKey("rag_windows.seq", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    collection: Mapped[str] = mapped_column(index=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class DocumentRow(Row):
    """`revision` is that of the collection when its windows last changed; unset until the change is complete."""

    __tablename__ = "rag_documents"
    __table_args__ = (
        UniqueConstraint("collection", "sha256"),
        Index("ix_rag_documents_collection_revision", "collection", "revision"),
    )

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
    revision: Mapped[int | None] = mapped_column(BigInteger)


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
    page: Mapped[int | None]
    # The document's text at [start:end], so that showing a passage does not read a document of megabytes.
    text: Mapped[str] = mapped_column(Text)


class WindowRow(Row):
    """What is matched: its terms as little-endian uint32 ids, its vector as little-endian float16."""

    __tablename__ = "rag_windows"
    __table_args__ = (
        Index("ix_rag_windows_collection_seq", "collection", "seq"),
        # What has no vector yet, found without a look at all that have one.
        Index(
            "ix_rag_windows_without_vector",
            "collection",
            "seq",
            sqlite_where=text("vector IS NULL"),
            postgresql_where=text("vector IS NULL"),
        ),
    )

    seq: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    collection: Mapped[str]
    chunk_seq: Mapped[int] = mapped_column(ForeignKey("rag_chunks.seq", ondelete="CASCADE"), index=True)
    start: Mapped[int]
    end: Mapped[int]
    terms: Mapped[bytes] = mapped_column(LargeBinary)
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)
