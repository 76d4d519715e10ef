"""A row in two evaluations as a page shows it, with a link of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from opsloop.evaluation.comparison.models import RowChange
from opsloop.evaluation.inert_text import inert
from opsloop.evaluation.row_text import RowText, row_text
from opsloop.evaluation.word_diff import Sides, sides

AT = "/evaluations/compare"


@dataclass(frozen=True, slots=True)
class Pair:
    """What was asked and expected, and both answers marked where they differ."""

    change: RowChange
    text: RowText
    sides: Sides
    href: str


def pair_of(change: RowChange, asked: Mapping[str, str], most: int) -> Pair:
    """`asked` is the comparison as its address has it; `most` how many characters of a text are shown."""
    before, after = row_text(change.base, most=most), row_text(change.head, most=most)
    place = {"row": str(change.row), "dataset": change.dataset}
    marked = sides(inert(before.answered), inert(after.answered))
    return Pair(change, after, marked, f"{AT}?{urlencode({**asked, **place})}#rows")
