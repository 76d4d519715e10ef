"""The nouns of themes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Method = Literal["clusters", "words", "none"]
"""How groups were found: by meaning (needs numpy), by a word that they share, or not, for there are too few texts."""
Kind = Literal["comment", "question", "ticket"]


@dataclass(frozen=True, slots=True)
class Said:
    """A text to group: what somebody wrote about an answer, or asked and got a bad answer to.

    `about` is the id of the request or of the ticket.
    """

    about: str
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """A text of a theme by where it is kept, so that a theme outlives no text that has to go."""

    about: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Theme:
    """Texts that speak of the same.

    `weights` are of its distinctive terms, by which next week's theme is known as the same one. `before` is its size in
    the week before, None when it is new.
    """

    id: str
    name: str
    size: int
    before: int | None
    examples: tuple[Example, ...]
    weights: dict[str, float] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Themes:
    """What texts of a time came to; `rest` of them belong to no theme."""

    method: Method
    texts: int
    rest: int
    themes: tuple[Theme, ...]
