"""What the rag slice speaks of: collections, documents, passages, citations, answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NewType

from opsloop.core.errors import Conflict, Denied, InvalidInput, NotFound

CollectionName = NewType("CollectionName", str)
DocumentId = NewType("DocumentId", str)

Ranking = Literal["fused", "ranks", "words"]
"""How passages are put in order: scores of words and vectors added, their inverted ranks added, or words alone."""
DEFAULT_COLLECTION = CollectionName("default")
LSA = "lsa"
"""The embedder that is fitted on the collection and needs no weights; the others are `onnx:FOLDER`, `openai:MODEL`."""
EMBEDDED = "embedded"
"""The store that every installation has: an index in memory over the state database."""


class CollectionMissing(NotFound):
    template = "no collection named {name!r}; upload a document to it, or list what there is with GET /api/collections"


class CollectionExists(Conflict):
    template = "a collection named {name!r} exists already; choose another name"


class CollectionClosed(Denied):
    template = "{caller} may not {wanted} collection {name!r}; an admin opens it with `opsloop rag access {name}`"


class DocumentMissing(NotFound):
    template = "collection {collection!r} holds no document {document!r}; list them to see what it holds"


class FilenameMissing(NotFound):
    template = "collection {collection!r} holds no document named {filename!r}{near}; list them to see what it holds"


class UnsupportedDocument(InvalidInput):
    template = "{filename}: {reason}; send one of {supported}"


class UnreadableDocument(InvalidInput):
    template = "{filename}: {reason}"


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents that are searched together.

    Attributes:
        chunking: how texts are cut, a name of `chunk.CHUNKINGS`.
        vector_weight: share of the vector score in the ranking, 0-1; None: as much as the embedder explains.
        min_support: probability below which a question is not answered, 0-1; None: the usual one.
        embedder: what makes its vectors, `lsa`, `onnx:FOLDER` or `openai:MODEL`.
        readers, writers: callers and roles that may search it, and change it too; None: whoever has the role for it.
        retention_days: age at which a document is deleted; None: never.
        store: where its passages are searched, `embedded`, `pgvector`, `dynamodb` or `azure-search`.
    """

    name: CollectionName
    chunking: str
    vector_weight: float | None
    created_at: datetime
    min_support: float | None = None
    embedder: str = LSA
    readers: tuple[str, ...] | None = None
    writers: tuple[str, ...] | None = None
    retention_days: int | None = None
    store: str = EMBEDDED


@dataclass(frozen=True, slots=True)
class Document:
    """One stored text. `metadata` holds what filters may ask for, as text."""

    id: DocumentId
    collection: CollectionName
    filename: str
    sha256: str
    media_type: str
    chunks: int
    words: int
    metadata: Mapping[str, str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Changeover:
    """A collection on its way to the vectors of an embedder: `done` of `total` are made; the old ones serve meanwhile.

    `error`: why it ended and the collection stayed as it was; None while it goes on.
    """

    embedder: str
    done: int
    total: int
    asked_at: datetime
    error: str | None


@dataclass(frozen=True, slots=True)
class CollectionStats:
    """What a collection holds.

    Attributes:
        vectors_explain: the share of its texts' variation that the embedder keeps, 0-1.
        store: where its passages are searched.
        is_copied: whether that store holds what the database says; the embedded one always does.
    """

    collection: CollectionName
    documents: int
    chunks: int
    windows: int
    words: int
    embedder: str | None
    vectors_explain: float | None
    changeover: Changeover | None = None
    store: str = EMBEDDED
    is_copied: bool = True


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What came of an upload; `duplicate` when the same bytes were there already, under this id."""

    document_id: DocumentId
    chunks: int
    sha256: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Removed:
    """What a deletion removed; `excerpts`: in how many things of each kind, such as flow runs, texts were erased."""

    documents: int = 0
    chunks: int = 0
    windows: int = 0
    excerpts: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Removed) -> Removed:
        kinds = sorted({*self.excerpts, *other.excerpts})
        return Removed(
            self.documents + other.documents,
            self.chunks + other.chunks,
            self.windows + other.windows,
            {kind: self.excerpts.get(kind, 0) + other.excerpts.get(kind, 0) for kind in kinds},
        )


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found, and why.

    Attributes:
        chunk: its number in the document, from 0.
        passage_id: the id it came with when it was uploaded as a ready passage.
        text: what stands in the document at [start:end].
        window_start, window_end: the part that matched best, as offsets into the document.
        score: fused lexical and vector score, relative to the best for this question in the collection, 0-1.
        similarity: cosine between question and best window, -1 to 1; 0 without vectors.
        term_weights: how rare each term of the question is in the collection; the same for all passages of a search.
        page: where it begins, from 1, in a document with pages.
    """

    document_id: DocumentId
    filename: str
    chunk: int
    passage_id: str | None
    heading: str
    text: str
    start: int
    end: int
    window_start: int
    window_end: int
    score: float
    similarity: float
    metadata: Mapping[str, str] = field(default_factory=dict)
    term_weights: Mapping[str, float] = field(default_factory=dict)
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, the best first; `note`: why it is not the collection's store that was searched."""

    passages: tuple[Passage, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """Proof: `quote` is exactly what the document holds at [start:end]; `score` is the support it gives, 0-1.

    `page` is that of the quote, from 1, in a document with pages; slides are pages too.
    """

    document_id: DocumentId
    filename: str
    chunk: int
    quote: str
    start: int
    end: int
    score: float
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its proof, or an abstention: then there are no citations and the text says so.

    Attributes:
        answer: plain text in which no link or image of a document is active. A model's sentences end with marks,
            `[1]`, that number the citations from 1.
        support: probability that the passages answer the question, 0-1.
        engine: what wrote the answer: `extractive` or `generative`.
        question: what was searched for, where a follow-up question was made to stand alone.
        unsupported: sentences of the model that were left out, because no quote proves them.
        note: why the answer is not, or not wholly, what a model was to write, or not from the collection's store.
    """

    answer: str
    citations: tuple[Citation, ...]
    abstained: bool
    engine: str
    support: float
    question: str | None = None
    unsupported: int = 0
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """A part of an answer that is proved; `cited` numbers its citations from 1 in the answer's."""

    text: str
    citations: tuple[Citation, ...]
    cited: tuple[int, ...]
