"""`opsloop eval compare`: two evaluations on the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from opsloop.cli import text
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opsloop.client.evaluations import Compared
    from opsloop.evaluation.comparison.models import MetricChange, RowChange

SHOWN = 10
_CHARS = 70
_WORDS = {"unclear": "not shown", "same": "the same"}


@lone(
    "compare",
    example="""opsloop eval compare run_01h… run_01j…
    opsloop eval compare run_01h… run_01j… --by topic --rows 20""",
)
@click.argument("base", metavar="RUN_A")
@click.argument("head", metavar="RUN_B")
@click.option("--by", metavar="COLUMN", help="Slice by this column of the data; default: those with few values.")
@click.option("--rows", "count", type=click.IntRange(0, 1_000), default=SHOWN, show_default=True, help="Rows to show.")
def compare(session: Session, base: str, head: str, by: str | None, count: int) -> None:
    """Compare RUN_B with RUN_A: metrics with intervals of their differences, slices, and changed rows, worse first."""
    with session.client() as client:
        found = client.evaluations.compare(base, head, by=by, limit=max(count, 1))
    session.answer(
        {"comparison": found.comparison, "rows": found.rows[:count]}, lambda: _words(found, found.rows[:count])
    )


def _words(found: Compared, rows: Sequence[RowChange]) -> str:
    it = found.comparison
    headings = (
        "metric",
        it.base.flow,
        it.head.flow,
        "difference",
        "95 % from",
        "to",
        "change",
        "better",
        "worse",
        "broke",
    )
    metrics = text.table(headings, [_line(each) for each in it.metrics])
    gone = [f"only one of the two ran on {', '.join(it.left_out)}"] if it.left_out else []
    slices = [(name.name, name.rows, *_line(each)[:-3]) for name in it.slices for each in name.metrics]
    tables = [metrics, text.table(("slice", "rows", *headings[:-3]), slices), _rows(rows)]
    return "\n\n".join([it.sentence, *gone, *(table for table in tables if table)])


def _line(change: MetricChange) -> tuple[object, ...]:
    figures = (change.base, change.head, change.difference, change.low, change.high)
    word = _WORDS.get(change.change.value, change.change.value)
    return (change.metric, *figures, word, change.better, change.worse, change.broke)


def _rows(rows: Sequence[RowChange]) -> str:
    from opsloop.evaluation.row_text import row_text

    table = []
    for each in rows:
        before, after = row_text(each.base), row_text(each.head)
        what = f"broke {', '.join(each.broke)}" if each.broke else each.change.value.replace("unclear", "other")
        table.append((each.row, what, *(_short(said) for said in (after.asked, before.answered, after.answered))))
    return text.table(("row", "change", "asked", "before", "now"), table)


def _short(said: str) -> str:
    line = text.cell(said)
    return line if len(line) <= _CHARS else f"{line[: _CHARS - 1]}…"
