"""What a row really was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LabelValue = str | bool | int | float
"""A class, or a number for regression."""


class LabelState(StrEnum):
    """`waiting`: its prediction has not arrived; `joined`: beside it, not yet part of the performance test; `counted`:
    part of it; `refused`: the prediction arrived and does not go with it, or never arrived."""

    WAITING = "waiting"
    JOINED = "joined"
    COUNTED = "counted"
    REFUSED = "refused"


class Said(StrEnum):
    """What became of a label that was sent."""

    KEPT = "kept"
    WAITING = "waiting"
    SAME = "same"
    CHANGED = "changed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class GivenLabel:
    """A label as it is sent; `row` counts a request's rows from 0."""

    request_id: str
    label: object
    row: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one label, and why when it was refused or waits."""

    request_id: str
    row: int
    outcome: Said
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Labelled:
    """A predicted row and its label."""

    seq: int
    request_id: str
    row: int
    release: str
    predicted: LabelValue
    label: LabelValue
    predicted_at: datetime
    labelled_at: datetime
