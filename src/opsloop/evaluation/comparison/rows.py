"""What became of each row between two runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from opsloop.evaluation.comparison.metrics import Kind, flip
from opsloop.evaluation.comparison.models import Change, RowChange, RowCounts
from opsloop.evaluation.comparison.pairs import Pair, Values


def row_changes(pairs: Sequence[Pair], values: Mapping[str, Values], kinds: Sequence[Kind]) -> list[RowChange]:
    """The rows, worse first: those that broke, those whose scores fell most, others, those that gained most."""
    found = [_row_change(pair, place, values, kinds) for place, pair in enumerate(pairs)]
    return sorted(found, key=_order)


class RowsWanted(StrEnum):
    """Which rows of a comparison to show; `different` leaves out those that are the same."""

    DIFFERENT = "different"
    BROKE = "broke"
    WORSE = "worse"
    BETTER = "better"
    ALL = "all"


def chosen(changes: Sequence[RowChange], wanted: RowsWanted) -> list[RowChange]:
    match wanted:
        case RowsWanted.BROKE:
            return [each for each in changes if each.broke]
        case RowsWanted.WORSE | RowsWanted.BETTER:
            return [each for each in changes if each.change.value == wanted.value]
        case RowsWanted.DIFFERENT:
            return [each for each in changes if each.change is not Change.SAME]
    return list(changes)


def counted(changes: Sequence[RowChange]) -> RowCounts:
    by = [each.change for each in changes]
    return RowCounts(
        all=len(changes),
        worse=by.count(Change.WORSE),
        better=by.count(Change.BETTER),
        other=by.count(Change.UNCLEAR),
        same=by.count(Change.SAME),
        broke=sum(bool(each.broke) for each in changes),
        mended=sum(bool(each.mended) for each in changes),
    )


def _row_change(pair: Pair, place: int, values: Mapping[str, Values], kinds: Sequence[Kind]) -> RowChange:
    differences: dict[str, float] = {}
    flips: dict[str, int] = {}
    worsening = 0.0
    is_same = True
    for kind in kinds:
        base, head = values[kind.name].base[place], values[kind.name].head[place]
        is_same = is_same and (base == head or not kind.is_score)
        if base is None or head is None:
            continue
        differences[kind.name] = head - base
        flips[kind.name] = flip(kind, base, head)
        if kind.is_score:
            worsening += (base - head) if kind.higher_is_better else (head - base)
    first, second = pair.base[0], pair.head[0]
    return RowChange(
        dataset=pair.dataset,
        row=pair.row,
        base=first,
        head=second,
        differences=differences,
        broke=tuple(name for name, way in flips.items() if way < 0),
        mended=tuple(name for name, way in flips.items() if way > 0),
        worsening=worsening,
        is_same=is_same and first.outputs == second.outputs and first.error == second.error,
    )


def _order(change: RowChange) -> tuple[int, float, bool]:
    return -len(change.broke), -change.worsening, change.is_same
