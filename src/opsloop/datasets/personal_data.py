"""Which columns of a snapshot hold personal data or secrets: counts and shapes, never a value."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from opsloop.core.errors import AnswerIsNo
from opsloop.datasets.engine import connected, literal, quoted
from opsloop.datasets.findings import PiiFound, PiiReport
from opsloop.datasets.models import Column, ColumnType
from opsloop.guardrails.pii.scan import find, shape
from opsloop.guardrails.pii.words_before import BETWEEN_TEXTS

# Of larger datasets this many rows are read, evenly spread, and this much of each value.
ROWS_LIMIT = 50_000
VALUE_LIMIT = 20_000
SAMPLES = 3
_READ = (ColumnType.TEXT, ColumnType.INTEGER, ColumnType.JSON)
# What each kind needs at least; the engine looks for it far faster than the detectors could.
_MAY_HOLD = (
    r"[0-9]{3}|[0-9][ ().-][0-9]{2}|@|://|:[0-9a-fA-F]*:|-----BEGIN|[\w-]{15}"
    r"|(?i:key|pass|pwd|token|secret|kennwort|contrase|authorization|licen|führers|permis|born|birth|nasci|naci|naiss)"
)
# Values are searched together, so many characters at a time.
_TOGETHER = 200_000


class PersonalDataFound(AnswerIsNo):
    template = (
        "{dataset}: no version was made, its policy refuses {report}; take it out, or set `pii: report` for the dataset"
    )


def report_of(path: str, columns: Sequence[Column], rows: int) -> PiiReport:
    """The personal data in a Parquet snapshot; of more than ROWS_LIMIT rows a part is read. Raises: ExtraNeeded."""
    step = -(-rows // ROWS_LIMIT)
    read = -(-rows // step) if rows else 0
    found: list[PiiFound] = []
    with connected() as duck:
        for column in columns:
            if column.type in _READ:
                found += _in_column(_values(duck, path, column.name, step), column.name, read)
    return PiiReport(read, rows, tuple(found))


@dataclass(slots=True)
class _Tally:
    count: int = 0
    rows: int = 0
    last_row: int = -1
    samples: list[str] = field(default_factory=list)

    def add(self, row: int, value: str) -> None:
        self.count += 1
        self.rows += row != self.last_row
        self.last_row = row
        masked = shape(value)
        if len(self.samples) < SAMPLES and masked not in self.samples:
            self.samples.append(masked)


def _values(duck: Any, path: str, column: str, step: int) -> Iterator[str]:
    """The values that may hold something, cut."""
    sql = f"left({quoted(column)}::VARCHAR, {VALUE_LIMIT})"
    found = duck.execute(
        f"SELECT {sql} FROM read_parquet({literal(path)}, file_row_number = true) "  # noqa: S608 (quoted)
        f"WHERE file_row_number % {step} = 0 AND regexp_matches({sql}, {literal(_MAY_HOLD)})"
    )
    while batch := found.fetchmany(5_000):
        for (value,) in batch:
            yield value


def _in_column(values: Iterator[str], column: str, read: int) -> Iterator[PiiFound]:
    tallies: dict[str, _Tally] = {}
    row = 0
    for together in _batches(values):
        starts = [0, *accumulate(len(value) + len(BETWEEN_TEXTS) for value in together)]
        text = BETWEEN_TEXTS.join(together)
        for each in find(text, heading=column):
            tally = tallies.setdefault(each.kind, _Tally())
            tally.add(row + bisect_right(starts, each.start), text[each.start : each.end])
        row += len(together)
    for kind, tally in sorted(tallies.items()):
        yield PiiFound(column, kind, tally.rows, tally.rows / read, tally.count, tuple(tally.samples))


def _batches(values: Iterator[str]) -> Iterator[list[str]]:
    together: list[str] = []
    size = 0
    for value in values:
        together.append(value.replace(BETWEEN_TEXTS, " "))
        size += len(value)
        if size > _TOGETHER:
            yield together
            together, size = [], 0
    if together:
        yield together
