"""The rows that two runs share, side by side."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from opsloop.evaluation.errors import NotComparable
from opsloop.evaluation.models import RowRecord, Run


@dataclass(frozen=True, slots=True)
class Pair:
    """A row of the data in both runs, with all its repeats."""

    dataset: str
    row: int
    base: tuple[RowRecord, ...]
    head: tuple[RowRecord, ...]


@dataclass(frozen=True, slots=True)
class Values:
    """A metric's values of the pairs, in their order; None where one was not measured."""

    base: list[float | None]
    head: list[float | None]


def pairs(
    base: Run, head: Run, base_rows: Sequence[RowRecord], head_rows: Sequence[RowRecord], *, key: str | None = None
) -> list[Pair]:
    """Rows of datasets with the same digest, by their place in them, in the order of `head`.

    Args:
        key: column whose value names a row, where the two ran on other versions of the data.
    Raises: NotComparable when the two have no row in common.
    """
    if key is not None and [each.digest for each in base.datasets] != [each.digest for each in head.datasets]:
        return _joined(_by_key(base_rows, key), _by_key(head_rows, key))
    digests = {each.ref: each.digest for each in base.datasets} | {each.ref: each.digest for each in head.datasets}
    if not {each.digest for each in base.datasets} & {each.digest for each in head.datasets}:
        reason = f"it ran on {head.dataset}, the other on {base.dataset}; evaluate both on the same rows"
        raise NotComparable(run=head.id, baseline=base.id, reason=reason)
    return _joined(_by_place(base_rows, digests), _by_place(head_rows, digests))


def left_out(base: Run, head: Run) -> tuple[str, ...]:
    """Datasets that only one of the two ran on."""
    ours, theirs = ({each.digest for each in run.datasets} for run in (head, base))
    return tuple(
        each.ref for run, others in ((head, theirs), (base, ours)) for each in run.datasets if each.digest not in others
    )


def values(pairs: Sequence[Pair]) -> dict[str, Values]:
    """Of the metrics that both runs have: the mean of a row's repeats."""
    names = [list(dict.fromkeys(m for pair in pairs for each in side(pair) for m in each.scores)) for side in _SIDES]
    return {
        metric: Values(*([_mean(side(pair), metric) for pair in pairs] for side in _SIDES))
        for metric in names[1]
        if metric in names[0]
    }


def _base(pair: Pair) -> tuple[RowRecord, ...]:
    return pair.base


def _head(pair: Pair) -> tuple[RowRecord, ...]:
    return pair.head


_SIDES = (_base, _head)


def _joined(before: Mapping[Hashable, list[RowRecord]], after: Mapping[Hashable, list[RowRecord]]) -> list[Pair]:
    return [
        Pair(records[0].dataset, records[0].row, tuple(before[place]), tuple(records))
        for place, records in after.items()
        if place in before
    ]


def _by_key(rows: Sequence[RowRecord], key: str) -> dict[Hashable, list[RowRecord]]:
    found: dict[Hashable, list[RowRecord]] = {}
    for each in rows:
        if (value := each.data.get(key)) is not None:
            found.setdefault(repr(value), []).append(each)
    return found


def _by_place(rows: Sequence[RowRecord], digests: Mapping[str, str]) -> dict[Hashable, list[RowRecord]]:
    found: dict[Hashable, list[RowRecord]] = {}
    for each in rows:
        found.setdefault((digests[each.dataset], each.row), []).append(each)
    return found


def _mean(records: Sequence[RowRecord], metric: str) -> float | None:
    if len(records) == 1:
        return records[0].scores.get(metric)
    measured = [score for each in records if (score := each.scores.get(metric)) is not None]
    return math.fsum(measured) / len(measured) if measured else None
