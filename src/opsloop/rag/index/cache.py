"""Indexes in memory, one per collection: the newest of each, from which the next version is made."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from opsloop.core.workspace import Workspace
from opsloop.rag.index.memory import BuiltIndex
from opsloop.rag.index.postings import Flags

_FILTERS = 16


@dataclass(frozen=True, slots=True)
class Held:
    """The index of one version of a collection; None while it holds no document.

    Attributes:
        lineage, revision: up to which change of which collection it knows.
        embedder: what makes its vectors.
        space: the identity of its vectors' space; None: it has no vectors.
        allowed: chunks that filters let through, by filter, as found so far.
    """

    version: str
    lineage: str | None
    revision: int
    embedder: str | None
    space: str | None
    index: BuiltIndex | None
    allowed: dict[Hashable, Flags] = field(default_factory=dict)

    def filtered(self, filters: Hashable, find: Callable[[], Flags]) -> Flags:
        """The chunks that filters let through, found once; of many filters those asked first are forgotten."""
        found = self.allowed.get(filters)
        if found is None:
            found = find()
            while len(self.allowed) >= _FILTERS:
                self.allowed.pop(next(iter(self.allowed)), None)
            self.allowed[filters] = found
        return found


class IndexCache:
    """The indexes used last, up to `limit_bytes`; the newest one stays however large it is. Threads may share it."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._kept: OrderedDict[str, Held] = OrderedDict()
        self._building: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, collection: str, version: str, build: Callable[[Held | None], Held]) -> Held:
        """The index of that version, made of the one before by one thread while others that want it wait."""
        found = self.newest(collection)
        if found is not None and found.version == version:
            return found
        with self._lock:
            building = self._building.setdefault(collection, threading.Lock())
        with building:
            found = self.newest(collection)
            if found is None or found.version != version:
                found = build(found)
                self._keep(collection, found)
        return found

    def forget_gone(self, there: Collection[str]) -> None:
        """Let go of the indexes of collections that are no more; one that is behind catches up when asked."""
        with self._lock:
            for collection in self._kept.keys() - set(there):
                del self._kept[collection]

    def newest(self, collection: str) -> Held | None:
        """The index that was made last, of whichever version."""
        with self._lock:
            found = self._kept.get(collection)
            if found is not None:
                self._kept.move_to_end(collection)
            return found

    def _keep(self, collection: str, held: Held) -> None:
        with self._lock:
            self._kept[collection] = held
            self._kept.move_to_end(collection)
            while len(self._kept) > 1 and self.size_bytes > self._limit_bytes:
                self._kept.popitem(last=False)

    @property
    def size_bytes(self) -> int:
        return sum(held.index.size_bytes for held in self._kept.values() if held.index is not None)


_CACHES: WeakKeyDictionary[Workspace, IndexCache] = WeakKeyDictionary()
_CACHES_LOCK = threading.Lock()


def cache_of(workspace: Workspace, *, limit_bytes: int) -> IndexCache:
    """The cache of an open workspace; it goes when the workspace does."""
    with _CACHES_LOCK:
        return _CACHES.setdefault(workspace, IndexCache(limit_bytes))


def forget_gone(workspace: Workspace, there: Collection[str]) -> None:
    """Let go of the indexes of an open workspace that nobody will ask for again. Args: there: names of collections."""
    with _CACHES_LOCK:
        cache = _CACHES.get(workspace)
    if cache is not None:
        cache.forget_gone(there)
