"""The nouns of promotion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opsloop.datasets.contamination_models import Contaminated


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A text as it was given, and as it goes into a dataset: without the personal data that was found in it."""

    before: str
    after: str

    @property
    def is_changed(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Draft:
    """The row that a promotion would add, and what speaks against it.

    Attributes:
        base: the version that it is added to; None for a new dataset.
        duplicate: number of a row of `base` with the same question, from 1.
        found: where the row stands in training data or prompts, so that an evaluation would measure memory.
        looked_in: what was looked in.
        promoted: versions that were made from this request already.
    """

    request_id: str
    dataset: str
    base: str | None
    question: Scrubbed
    answer: Scrubbed
    row: dict[str, Any]
    duplicate: int | None
    found: tuple[Contaminated, ...]
    looked_in: tuple[str, ...]
    promoted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Promotion:
    """A golden row that was made: the new version, the one before it, and the row."""

    request_id: str
    version: str
    before: str | None
    row: dict[str, Any]
    rows: int
