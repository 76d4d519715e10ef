"""The known detectors. A module of `detectors` registers its own; adding one edits nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import opsloop.guardrails.pii.detectors as package
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

# The text, the words that stand before a place in it; time is linear in the text, whatever it holds.
Find = Callable[[str, WordsBefore], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Detector:
    """What finds one kind.

    Args:
        may_hold: whether a text can hold the kind at all: a look that costs far less than the search.
        needs_digits: whether a text without a digit holds none.
    """

    kind: str
    find: Find
    may_hold: Callable[[str], bool]
    needs_digits: bool = False


_DETECTORS: dict[str, Detector] = {}


def detector(kind: str, *, may_hold: Callable[[str], bool], needs_digits: bool = False) -> Callable[[Find], Find]:
    """Register what finds a kind."""

    def register(find: Find) -> Find:
        _DETECTORS[kind] = Detector(kind, find, may_hold, needs_digits)
        return find

    return register


@cache
def known() -> dict[str, Detector]:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_DETECTORS.items()))
