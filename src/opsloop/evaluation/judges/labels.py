"""People's labels out of a dataset's rows, in the figures of a judge's scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.evaluation.evaluators.judging.spec import Kind, Scale
from opsloop.evaluation.judges.errors import LabelsInvalid

_YES_NO = {"yes": 1.0, "true": 1.0, "1": 1.0, "no": 0.0, "false": 0.0, "0": 0.0}
_PAIR = {"a": 1.0, "answer": 1.0, "1": 1.0, "tie": 0.5, "0.5": 0.5, "b": 0.0, "other": 0.0, "0": 0.0}
_WANTED = {Kind.YES_NO: "yes or no", Kind.PAIRWISE: "A (the answer), B (the other) or tie"}
LABEL_COLUMNS = ("label", "labels", "human_label", "human")


def columns_of(known: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    """The columns that hold labels, one an annotator: those given, else one of the usual names.

    Raises: LabelsInvalid.
    """
    for name in given:
        if name not in known:
            raise LabelsInvalid(field="labels", value=name, wanted=f"a column of the dataset ({', '.join(known)})")
    found = given or [name for name in LABEL_COLUMNS if name in known][:1]
    if not found:
        wanted = f"the columns that hold people's labels, with --label (columns: {', '.join(known)})"
        raise LabelsInvalid(field="labels", value=list(given), wanted=wanted)
    return tuple(found)


def labels_of(row: Mapping[str, Any], number: int, columns: Sequence[str], scale: Scale) -> list[float | None]:
    """The labels of a row; a column may hold a list, one value an annotator. None where one left it out.

    Raises: LabelsInvalid naming row and column.
    """
    found: list[float | None] = []
    for column in columns:
        value = row.get(column)
        for each in value if isinstance(value, list) else [value]:
            found.append(None if each is None or each == "" else _label(each, number, column, scale))
    return found


def consensus(labels: Sequence[float | None], scale: Scale) -> float | None:
    """What most say, on points the lower median; None without labels, or when as many say one thing as another."""
    given = sorted(label for label in labels if label is not None)
    if not given:
        return None
    if scale.is_ordinal:
        return given[(len(given) - 1) // 2]
    (first, count), *others = Counter(given).most_common(2)
    return None if others and others[0][1] == count else first


def farthest(label: float, scale: Scale) -> float:
    """The score of the scale that is most wrong."""
    return float(scale.high if abs(scale.high - label) > abs(label - scale.low) else scale.low)


def _label(value: Any, number: int, column: str, scale: Scale) -> float:
    if scale.kind is Kind.POINTS:
        if (point := _whole(value)) is not None and scale.low <= point <= scale.high:
            return float(point)
        wanted = f"a whole number from {scale.low} to {scale.high}"
    else:
        words = _YES_NO if scale.kind is Kind.YES_NO else _PAIR
        word = str(value).strip().casefold().removesuffix(".0")
        if word in words:
            return words[word]
        wanted = _WANTED[scale.kind]
    raise LabelsInvalid(field=f"row {number + 1}, column {column}", value=value, wanted=wanted)


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
        return int(number) if number == int(number) else None
    except (TypeError, ValueError, OverflowError):
        return None
