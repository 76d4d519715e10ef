"""The nouns of expectations: what is expected, what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class OnBroken(StrEnum):
    """What a registration does when an expectation is not met."""

    REFUSE = "refuse"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that must hold: a kind such as `between`, with its options.

    `mostly` is the share of the rows, of those it speaks of, that must meet it. `meta` is kept for whoever wrote it.
    """

    expect: str
    options: Mapping[str, Any]
    mostly: float = 1.0
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """As a sentence names it: `between score (min 0, max 1)`."""
        options = dict(self.options)
        column = options.pop("column", "")
        mostly = {} if self.mostly == 1.0 else {"mostly": self.mostly}
        more = ", ".join(f"{name} {_short(value)}" for name, value in (options | mostly).items() if value is not False)
        return " ".join(filter(None, (self.expect, str(column), f"({more})" if more else "")))

    def declared(self) -> dict[str, Any]:
        """As it stands in a file."""
        mostly = {} if self.mostly == 1.0 else {"mostly": self.mostly}
        meta = {"meta": dict(self.meta)} if self.meta else {}
        return {"expect": self.expect, **self.options, **mostly, **meta}


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that breaks an expectation: its number, counted from 1, and its value, shortened, without personal data."""

    row: int
    value: str


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """How an expectation fared.

    Attributes:
        counted: rows it speaks of; 0 when it is about the table as a whole.
        broken: those of them that break it.
        observed: what was found where it is about one figure, or why it could not be checked.
        rows: the first rows that break it.
    """

    expectation: str
    declared: dict[str, Any]
    met: bool
    counted: int = 0
    broken: int = 0
    observed: str | None = None
    rows: tuple[BrokenRow, ...] = ()

    def __str__(self) -> str:
        if self.met:
            return f"{self.expectation} is met"
        if self.observed is not None:
            return f"{self.expectation} is not met: {self.observed}"
        first = "; ".join(f"row {each.row}: {each.value}" for each in self.rows)
        return f"{self.expectation} is broken by {self.broken:,} of {self.counted:,} rows ({first})"


@dataclass(frozen=True, slots=True)
class ExpectationReport:
    """What the expectations of a dataset came to on one version."""

    met: bool
    results: tuple[ExpectationResult, ...]

    @property
    def broken(self) -> tuple[ExpectationResult, ...]:
        return tuple(each for each in self.results if not each.met)

    def __str__(self) -> str:
        if self.met:
            return f"{len(self.results)} of {len(self.results)} expectations are met"
        said = "; ".join(map(str, self.broken))
        return f"{len(self.broken)} of {len(self.results)} expectations are not met: {said}"


def _short(value: object) -> str:
    if isinstance(value, list | tuple):
        shown = ", ".join(map(str, value[:6]))
        return f"[{shown}{', …' if len(value) > 6 else ''}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
