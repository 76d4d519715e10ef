"""The known guards. A module of `guards` registers its own; adding one edits nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Protocol, TypeVar

import opsloop.guardrails.guards as package
from opsloop.guardrails.pii.models import Finding

REACH = 128
"""How many characters after a place may change what is found there, where a guard says nothing better."""


class Guard(Protocol):
    """What finds kinds in a text. Pure, without I/O; called from several threads.

    Args:
        name: of the guard, in logs and metrics.
        groups: words that stand for several of its kinds in a policy.
    """

    @property
    def name(self) -> str: ...

    @property
    def groups(self) -> Mapping[str, Collection[str]]: ...

    def kinds(self) -> Collection[str]: ...

    def find(self, text: str, kinds: Collection[str]) -> Sequence[Finding]:
        """What of these kinds is in a text, in order."""
        ...

    def settled(self, text: str) -> int:
        """The place in a text that goes on, up to which more text changes nothing of what is found.

        It stands before a character that could begin a finding; `settled_by` fits whatever looks `REACH` ahead.
        """
        ...


G = TypeVar("G", bound=Guard)
_GUARDS: dict[str, Guard] = {}


def guard(made: G) -> G:
    """Register a guard."""
    _GUARDS[made.name] = made
    return made


def known() -> dict[str, Guard]:
    _load()
    return _GUARDS


@cache
def _load() -> None:
    for module in pkgutil.iter_modules(package.__path__):
        if module.name != "registry":
            importlib.import_module(f"{package.__name__}.{module.name}")


def groups() -> dict[str, frozenset[str]]:
    """Words that stand for several kinds."""
    return {name: frozenset(kinds) for each in known().values() for name, kinds in each.groups.items()}


def kinds() -> frozenset[str]:
    """Every kind that a guard knows."""
    return frozenset(kind for each in known().values() for kind in each.kinds())


def settled_by(text: str, reach: int = REACH) -> int:
    """The start of the word that stands `reach` characters before a text's end."""
    return word_start(text, max(0, len(text) - reach))


def word_start(text: str, at: int) -> int:
    """Where the run of characters without a space begins that holds the character before `at`."""
    if at == 0 or text[at - 1].isspace():
        return at
    return at - len(text[:at].rsplit(None, 1)[-1])
