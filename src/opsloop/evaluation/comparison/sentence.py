"""What a comparison says, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from opsloop.evaluation.comparison.models import Change, MetricChange, RowCounts


def sentence(metrics: Sequence[MetricChange], rows: RowCounts) -> str:
    """`Worse in 1 of 3 metrics: token_f1 fell 0.21 (0.46 to 0.25; 95 % interval -0.27 to -0.15). 12 rows broke, …`."""
    if not rows.all:
        return "The two runs share no row."
    worse, better = ([each for each in metrics if each.change is change] for change in (Change.WORSE, Change.BETTER))
    said = [_head(worse, better, len(metrics))]
    told = [_clause(each) for each in (*worse, *better)]
    first = f"{said[0]}: {', '.join(told)}." if told else f"{said[0]}."
    return f"{first} {found_rows(rows)}"


def _head(worse: Sequence[MetricChange], better: Sequence[MetricChange], count: int) -> str:
    of = f"of {count} metric{'' if count == 1 else 's'}"
    if worse and better:
        return f"Worse in {len(worse)} and better in {len(better)} {of}"
    if worse:
        return f"Worse in {len(worse)} {of}"
    return f"Better in {len(better)} {of}, worse in none" if better else "No metric is shown to differ"


def _clause(change: MetricChange) -> str:
    assert change.difference is not None
    assert change.low is not None
    assert change.high is not None
    way = "rose" if change.difference > 0 else "fell"
    span = f"{_figure(change.base)} to {_figure(change.head)}"
    return (
        f"{change.metric} {way} {_figure(abs(change.difference))} ({span}; "
        f"95 % interval {_figure(change.low)} to {_figure(change.high)})"
    )


def found_rows(rows: RowCounts) -> str:
    """`12 of 125 rows broke, 1 was mended.`"""
    broke = f"{rows.broke:,} of {rows.all:,} row{'' if rows.all == 1 else 's'} broke"
    return f"{broke}, {rows.mended:,} {'was' if rows.mended == 1 else 'were'} mended."


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 0.1 else f"{value:.2f}" if abs(value) < 10 else f"{value:,.0f}"
