"""The nouns of the contamination check: where golden rows stand elsewhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """A text to look in, such as a prompt; `file` names it."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Contaminated:
    """A cell of a golden row that stands elsewhere.

    Attributes:
        row: of the golden rows, counted from 1.
        source: the other dataset's version, or the file.
        at: the row there counted from 1, or the line.
        share: of the cell's sequences of words that stand there, in 0 to 1.
        exact: the cell stands there whole.
    """

    row: int
    column: str
    source: str
    at: int
    in_file: bool
    share: float
    exact: bool

    def __str__(self) -> str:
        place = f"{self.source}, {'line' if self.in_file else 'row'} {self.at}"
        return f"row {self.row}, {self.column}: {'word for word' if self.exact else f'{self.share:.0%}'} in {place}"


@dataclass(frozen=True, slots=True)
class ContaminationReport:
    """What was found of a dataset's rows elsewhere.

    Attributes:
        judged: rows with a cell long enough to tell; the others are `short`.
        rows: how many of them stand elsewhere.
        sources: what was looked in.
        found: where they stand, the first SHOWN.
    """

    dataset: str
    judged: int
    short: int
    rows: int
    threshold: float
    sources: tuple[str, ...]
    found: tuple[Contaminated, ...]

    def __str__(self) -> str:
        short = f" ({self.short:,} rows are too short to tell)" if self.short else ""
        said = f"{self.rows:,} of {self.judged:,} rows of {self.dataset} stand in {', '.join(self.sources[:5])}"
        return said + (", …" if len(self.sources) > 5 else "") + short
