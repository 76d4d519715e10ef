"""Whether a label goes with what was predicted; pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from opsloop.core.errors import shown
from opsloop.monitoring.labels.models import LabelValue

MAX_TEXT = 1_000
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Answered:
    """The rows of one request, as far as they are kept."""

    key: str
    release: str
    started_us: int
    rows: int
    predictions: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Joined:
    answered: Answered
    predicted: Any


def joined(found: Sequence[Answered], row: int, label: LabelValue) -> Joined | str:
    """The row that a label belongs to, or why it belongs to none.

    Args:
        found: at least one request with the label's id.
    """
    if len(found) > 1:
        ids = ", ".join(each.key for each in found[:3])
        return f"{len(found)} requests came under this id; name one of them by its record's id, such as {ids}"
    request = found[0]
    if row >= request.rows:
        return f"row {row} is beyond the request's {request.rows} rows, which count from 0"
    if row >= len(request.predictions):
        return f"row {row} was not kept: of this request the first {len(request.predictions)} rows are"
    predicted = request.predictions[row]
    wrong = unlike(predicted, label)
    return wrong if wrong is not None else Joined(request, predicted)


def unlike(predicted: Any, label: LabelValue) -> str | None:
    """Why a label is of another type than what was predicted, or None."""
    wanted = _kind(predicted)
    if wanted == _kind(label):
        return None
    return f"label is {shown(label)}; the model predicts {wanted} such as {shown(predicted)}"


def checked(label: object) -> LabelValue:
    """A label that can be kept. Raises: ValueError that says why it cannot."""
    if isinstance(label, str) and (len(label) > MAX_TEXT or _UNSTORABLE.search(label)):
        raise ValueError(f"label is {shown(label)}; wanted at most {MAX_TEXT} characters, no NUL and no lone surrogate")
    if isinstance(label, bool | str) or (isinstance(label, int) and abs(label) < 2**63):
        return label
    if isinstance(label, float) and math.isfinite(label):
        return label
    raise ValueError(f"label is {shown(label)}; wanted a text, a finite number, true or false")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "numbers" if isinstance(value, int | float) else "texts"
