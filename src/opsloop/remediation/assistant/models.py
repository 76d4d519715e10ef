"""The nouns of the assistant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A record as sentences that may be quoted.

    Args:
        id: unique among those of one question, such as `incident/incident_01j…`.
        link: where it stands, a path of the console.
    """

    id: str
    title: str
    link: str
    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """What a sentence of the answer stands on. `quote` stands word for word in what `link` leads to."""

    source: str
    title: str
    link: str
    quote: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with its proof, or an abstention without citations.

    Args:
        support: probability that what was found answers the question, 0 to 1.
        engine: `extractive` or `generative`.
        note: what could not be looked at, or why no model wrote; None when there is nothing to say.
    """

    answer: str
    citations: tuple[Cited, ...]
    abstained: bool
    engine: str
    support: float
    note: str | None = None
