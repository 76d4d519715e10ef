"""The rows of a run as a gate sees them: each row once, with the mean of its repeats."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsloop.evaluation.errors import NotComparable
from opsloop.evaluation.models import RowRecord, Run


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """One row of the data.

    Attributes:
        identity: what it is matched by with the same row of another run; None when it has nothing to match by.
        name: for people, such as `golden@3 row 17`.
        version: the version of the dataset, such as `golden@3`.
        values: by metric that is taken on this dataset, the mean over repeats; None where there is no figure.
        failed: metrics that the flow or the measure failed on, in one repeat at least.
        graded: metrics with a figure other than 0 and 1.
        is_skipped: it was not run, because a budget was used up say.
    """

    identity: Hashable | None
    name: str
    version: str
    data: Mapping[str, Any]
    values: Mapping[str, float | None]
    failed: frozenset[str]
    graded: frozenset[str]
    is_skipped: bool

    def lacks(self, metric: str) -> bool:
        """Whether there is no figure although there should be one; a metric that does not apply is not lacking."""
        return self.values.get(metric) is None and (self.is_skipped or metric in self.failed)


def measured(run: Run, records: Sequence[RowRecord], *, key: str | None = None) -> list[MeasuredRow]:
    """The rows of a run, in the order of the data.

    Args:
        key: the column to match rows by; unset: their places, which is right where the data are the same.
    Raises: NotComparable when two rows have the same key.
    """
    places = {each.ref: place for place, each in enumerate(run.datasets)}
    repeats: dict[tuple[str, int], list[RowRecord]] = {}
    taken: dict[str, dict[str, None]] = {}
    for each in records:
        repeats.setdefault((each.dataset, each.row), []).append(each)
        taken.setdefault(each.dataset, {}).update(dict.fromkeys(each.scores))
    rows = [
        _row(group, _identity(group[0], places.get(dataset, 0), key), list(taken[dataset]))
        for (dataset, _), group in repeats.items()
    ]
    if key is not None:
        _check_distinct(run, rows, key)
    return rows


def by_identity(rows: Sequence[MeasuredRow]) -> dict[Hashable, MeasuredRow]:
    return {row.identity: row for row in rows if row.identity is not None}


def _row(repeats: Sequence[RowRecord], identity: Hashable | None, metrics: Sequence[str]) -> MeasuredRow:
    first = repeats[0]
    scores = {
        metric: [score for each in repeats if (score := each.scores.get(metric)) is not None] for metric in metrics
    }
    return MeasuredRow(
        identity=identity,
        name=f"{first.dataset} row {first.row + 1}",
        version=first.dataset,
        data=first.data,
        values={metric: sum(found) / len(found) if found else None for metric, found in scores.items()},
        failed=frozenset(metric for each in repeats for metric in each.errors),
        graded=frozenset(metric for metric, found in scores.items() if not {0.0, 1.0}.issuperset(found)),
        is_skipped=all(each.skipped is not None for each in repeats),
    )


def _identity(record: RowRecord, place: int, key: str | None) -> Hashable | None:
    if key is None:
        return (place, record.row)
    value = record.data.get(key)
    return None if value is None else (record.dataset.rpartition("@")[0], repr(value))


def _check_distinct(run: Run, rows: Sequence[MeasuredRow], key: str) -> None:
    seen: set[Hashable] = set()
    for row in rows:
        if row.identity is not None and row.identity in seen:
            reason = f"its rows cannot be told apart by {key}: {row.data[key]!r} is there twice"
            raise NotComparable(run=run.id, baseline="another run", reason=reason)
        seen.add(row.identity)
