"""Texts of documents that others keep, such as excerpts in the traces of flows' runs: they go with the document.

Who keeps such texts registers how to erase them:

    @keeper("flow_runs")
    def erase(uow: UnitOfWork, erased: Erased) -> int: ...

It runs in the transaction that deletes the document, so that the texts are gone everywhere or nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from opsloop.core.workspace import UnitOfWork

SHINGLE_WORDS = 8
"""Words in a row that two texts share only when one quotes the other."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Erased:
    """Documents that are being deleted, and what their texts are known by."""

    collection: str
    document_ids: frozenset[str]
    shingles: frozenset[tuple[str, ...]]

    def is_in(self, value: object) -> bool:
        """Whether a JSON value names one of the documents or quotes it."""
        return any(text in self.document_ids or not self.shingles.isdisjoint(_shingles(text)) for text in texts(value))


def erased(collection: str, documents: Mapping[str, str]) -> Erased:
    """Args:
    documents: texts by document id.
    """
    shingles = frozenset(shingle for text in documents.values() for shingle in _shingles(text))
    return Erased(collection, frozenset(documents), shingles)


def texts(value: object) -> Iterable[str]:
    """Every text in a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from texts(key)
            yield from texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)


def _shingles(text: str) -> Iterable[tuple[str, ...]]:
    """Runs of SHINGLE_WORDS words; of a shorter text all its words, when there are at least three."""
    words = _WORD.findall(text.casefold())
    if 3 <= len(words) < SHINGLE_WORDS:
        yield tuple(words)
    for at in range(len(words) - SHINGLE_WORDS + 1):
        yield tuple(words[at : at + SHINGLE_WORDS])


Keeper = Callable[[UnitOfWork, Erased], int]
_KEEPERS: dict[str, Keeper] = {}


def keeper(what: str) -> Callable[[Keeper], Keeper]:
    """Register who erases texts elsewhere; it returns how many things it erased them from."""

    def register(erase: Keeper) -> Keeper:
        _KEEPERS[what] = erase
        return erase

    return register


def erase_elsewhere(uow: UnitOfWork, what: Erased) -> dict[str, int]:
    """How many of each kind held texts of these documents, and do no more."""
    return {name: erase(uow, what) for name, erase in sorted(_KEEPERS.items())}
