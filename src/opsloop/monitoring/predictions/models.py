"""Rows that a model answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a release predicted for one request.

    Args:
        seq: grows with the order of arrival in the database.
        key: of the request's record.
        rows: of the request; of many only the first are kept, so `inputs` and `predictions` may hold fewer.
        inputs: rows as lists, in the order of the model's signature.
        is_answer: whether the caller got it; False for an attempt beside the answer.
    """

    seq: int
    key: str
    request_id: str
    endpoint: str
    release: str
    started_at: datetime
    rows: int
    inputs: list[list[Any]]
    predictions: list[Any]
    drift_score: float | None
    is_answer: bool


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """One interval; `score` is the largest in it, None where no request had one."""

    at: datetime
    requests: int
    rows: int
    score: float | None
