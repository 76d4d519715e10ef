"""What was found when a version was looked at: expectations met or not, personal data, rows that are held out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class OnBroken(StrEnum):
    """What a registration does when an expectation is not met."""

    REFUSE = "refuse"
    WARN = "warn"


class OnPii(StrEnum):
    """What a registration does about personal data: tell of it, refuse the rows, or do not look."""

    REPORT = "report"
    REFUSE = "refuse"
    ALLOW = "allow"


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


@dataclass(frozen=True, slots=True)
class PiiFound:
    """A kind of personal data in a column.

    Attributes:
        rows: how many of the rows that were read hold it; `share` of them in 0 to 1.
        count: how often it was found in them.
        samples: the shape of some of what was found, letters as x and digits as 0; never a value.
    """

    column: str
    kind: str
    rows: int
    share: float
    count: int
    samples: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} in {self.column} ({self.rows:,} rows, such as {self.samples[0]})"


@dataclass(frozen=True, slots=True)
class PiiReport:
    """The personal data and secrets of a version; `read` of its `rows` were looked at."""

    read: int
    rows: int
    found: tuple[PiiFound, ...]

    def __str__(self) -> str:
        some = "" if self.read == self.rows else f" ({self.read:,} of {self.rows:,} rows were read)"
        if not self.found:
            return f"no personal data was found{some}"
        return f"personal data: {'; '.join(map(str, self.found))}{some}"


@dataclass(frozen=True, slots=True)
class DatasetPolicy:
    """What is declared for all versions of a dataset."""

    name: str
    expectations: tuple[dict[str, Any], ...] = ()
    on_broken: OnBroken = OnBroken.REFUSE
    pii: OnPii = OnPii.REPORT


@dataclass(frozen=True, slots=True)
class Holdout:
    """The rows of a dataset that are kept back, and whose content may not change.

    A row is one of them when the keyed hash of its values (or of its value in column `by`) falls below `share`.
    `frozen` is the version whose held out rows later versions must hold unchanged, as `columns` has them.
    """

    name: str
    frozen: int
    share: float
    seed: int
    by: str | None
    columns: tuple[str, ...]
