"""The store in memory: the embedded index over passages that are put in. Loads numpy.

A collection without a store of its own is searched in an index that reads the state database by itself; this one is for
stores that keep passages and cannot rank them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from opsloop.rag.index.memory import BuiltIndex, build
from opsloop.rag.index.postings import Flags
from opsloop.rag.index.retrieve import rank
from opsloop.rag.index.segment import StoredWindow
from opsloop.rag.models import EMBEDDED
from opsloop.rag.stores.port import Hit, Hits, StoredDocument, StoredPassage, Wanted
from opsloop.rag.text.words import term_id


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a document beside its passages."""

    state: str
    filename: str
    metadata: Mapping[str, str]

    def has(self, id: str, filters: Mapping[str, Sequence[str]]) -> bool:
        own = {"document_id": id, "filename": self.filename}
        return all(own.get(key, self.metadata.get(key)) in values for key, values in filters.items())


@dataclass(slots=True)
class _Shelf:
    """A collection's documents with their index; changed under its lock, read without."""

    documents: dict[str, _Known] = field(default_factory=dict)
    index: BuiltIndex | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class EmbeddedStore:
    name = EMBEDDED

    def __init__(self) -> None:
        self._shelves: dict[str, _Shelf] = {}
        self._lock = threading.Lock()

    def _shelf(self, collection: str) -> _Shelf:
        with self._lock:
            return self._shelves.setdefault(collection, _Shelf())

    def write(self, collection: str, documents: Sequence[StoredDocument]) -> None:
        shelf = self._shelf(collection)
        with shelf.lock:
            _change(shelf, gone=[each.id for each in documents], added=documents)

    def remove(self, collection: str, document_ids: Sequence[str]) -> None:
        shelf = self._shelf(collection)
        with shelf.lock:
            _change(shelf, gone=document_ids, added=())

    def drop(self, collection: str) -> None:
        with self._lock:
            self._shelves.pop(collection, None)

    def held(self, collection: str) -> dict[str, str]:
        return {id: known.state for id, known in self._shelf(collection).documents.items()}

    def search(self, collection: str, wanted: Wanted) -> Hits:
        shelf = self._shelf(collection)
        with shelf.lock:
            index, documents = shelf.index, shelf.documents
        return _found(index, documents, wanted) if index is not None else Hits()

    def brought_up(
        self,
        collection: str,
        states: Mapping[str, str],
        read: Callable[[Sequence[str]], Sequence[StoredDocument]],
    ) -> None:
        """Hold what `states` says, reading what is not there; one thread reads while others wait."""
        shelf = self._shelf(collection)
        with shelf.lock:
            change = _difference(shelf, states)
            if change is None:
                return
            _change(shelf, gone=change.gone, added=read(change.new) if change.new else ())
            if _difference(shelf, states) is not None:  # the new vectors left no room for the others
                shelf.documents, shelf.index = {}, None
                _change(shelf, gone=(), added=read(list(states)))


@dataclass(frozen=True, slots=True)
class _Difference:
    gone: list[str]
    new: list[str]


def _difference(shelf: _Shelf, states: Mapping[str, str]) -> _Difference | None:
    """What has to go and to come so that a shelf holds what `states` says; None: it does."""
    known = {id: each.state for id, each in shelf.documents.items()}
    gone = [id for id in known if states.get(id) != known[id]]
    new = [id for id in states if states[id] != known.get(id)]
    return _Difference(gone, new) if gone or new else None


def _change(shelf: _Shelf, *, gone: Sequence[str], added: Sequence[StoredDocument]) -> None:
    """Take documents out, then put others in. Vectors of other dimensions leave no room for those that were there."""
    windows = [_window(document.id, each) for document in added for each in document.passages]
    dimensions = max((len(each.vector) // 2 for each in windows if each.vector is not None), default=0)
    documents, index = dict(shelf.documents), shelf.index
    if index is not None and dimensions not in (0, index.dimensions):
        documents, index = {}, None
    for id in gone:
        documents.pop(id, None)
    if index is not None:
        index = index.changed(gone=gone, added=windows)
    elif windows:
        index = build([windows], dimensions, None, 1.0)
    documents |= {each.id: _Known(each.state, each.filename, each.metadata) for each in added}
    shelf.documents, shelf.index = documents, index


def _window(document_id: str, passage: StoredPassage) -> StoredWindow:
    return StoredWindow(
        passage.seq, passage.chunk_seq, document_id, passage.heading_terms, passage.terms, passage.vector
    )


def _found(index: BuiltIndex, documents: Mapping[str, _Known], wanted: Wanted) -> Hits:
    ranked = rank(
        index,
        wanted.question,
        top_k=wanted.count,
        vector=np.frombuffer(wanted.vector, dtype="<f4") if wanted.with_vectors and wanted.vector is not None else None,
        allowed=_allowed(index, documents, wanted.filters),
        vector_weight=wanted.vector_weight,
        fusion="ranks" if wanted.ranking == "ranks" else "convex",
    )
    rarity = {term: index.chunk_lexicon.rarity(term_id(term)) for term in wanted.terms}
    hits = [Hit(index.document_of(each.chunk_row), index.window_seq(each.window_row), each.score) for each in ranked]
    return Hits(tuple(hits), rarity)


def _allowed(index: BuiltIndex, documents: Mapping[str, _Known], filters: Mapping[str, Sequence[str]]) -> Flags | None:
    if not filters:
        return None
    return index.of_documents(id for id, known in documents.items() if known.has(id, filters))
