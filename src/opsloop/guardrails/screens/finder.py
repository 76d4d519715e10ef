"""What policies use of a screen: it finds chosen kinds in a text, and knows what of a text that goes on is settled."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from opsloop.guardrails.pii.models import Finding

Find = Callable[[str, Collection[str]], Sequence[Finding]]
Settled = Callable[[str], int]
"""The place in a text that goes on, up to which more text changes nothing of what is found.

It stands before a character that could begin a finding; `settled_by` fits whatever looks `REACH` ahead.
"""

REACH = 128
"""How many characters after a place may change what is found there, where a screen says nothing better."""


@dataclass(frozen=True, slots=True)
class Finder:
    """Pure, without I/O; called from several threads. Screens that share one are asked together.

    Args:
        name: in logs and metrics.
        find: what of these kinds is in a text, in order.
    """

    name: str
    find: Find
    settled: Settled


def never_settled(_text: str) -> int:
    """Of what judges sentences and passages: more text may change what it says, so a stream is held until its end."""
    return 0


def settled_by(text: str, reach: int = REACH) -> int:
    """The start of the word that stands `reach` characters before a text's end."""
    return word_start(text, max(0, len(text) - reach))


def word_start(text: str, at: int) -> int:
    """Where the run of characters without a space begins that holds the character before `at`."""
    if at == 0 or text[at - 1].isspace():
        return at
    return at - len(text[:at].rsplit(None, 1)[-1])
