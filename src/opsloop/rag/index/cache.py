"""Indexes in memory, one per collection, kept as long as the collection's version holds and memory allows."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from weakref import WeakKeyDictionary

from opsloop.core.workspace import Workspace
from opsloop.rag.index.memory import BuiltIndex


class IndexCache:
    """The indexes used last, up to `limit_bytes`; the newest one stays however large it is. Threads may share it."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._kept: OrderedDict[str, tuple[str, BuiltIndex]] = OrderedDict()
        self._building: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, collection: str, version: str, build: Callable[[], BuiltIndex]) -> BuiltIndex:
        """The index of that version; built by one thread while others that want the same collection wait."""
        found = self._found(collection, version)
        if found is not None:
            return found
        with self._lock:
            building = self._building.setdefault(collection, threading.Lock())
        with building:
            found = self._found(collection, version)
            if found is None:
                found = build()
                self._keep(collection, version, found)
        return found

    def _found(self, collection: str, version: str) -> BuiltIndex | None:
        with self._lock:
            kept_version, index = self._kept.get(collection, ("", None))
            if index is None or kept_version != version:
                return None
            self._kept.move_to_end(collection)
            return index

    def _keep(self, collection: str, version: str, index: BuiltIndex) -> None:
        with self._lock:
            self._kept[collection] = (version, index)
            self._kept.move_to_end(collection)
            while len(self._kept) > 1 and self._size_bytes() > self._limit_bytes:
                self._kept.popitem(last=False)

    def _size_bytes(self) -> int:
        return sum(index.size_bytes for _, index in self._kept.values())


_CACHES: WeakKeyDictionary[Workspace, IndexCache] = WeakKeyDictionary()
_CACHES_LOCK = threading.Lock()


def cache_of(workspace: Workspace, *, limit_bytes: int) -> IndexCache:
    """The cache of an open workspace; it goes when the workspace does."""
    with _CACHES_LOCK:
        return _CACHES.setdefault(workspace, IndexCache(limit_bytes))
