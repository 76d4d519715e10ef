"""The nouns of feedback."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NewType

FeedbackId = NewType("FeedbackId", str)
Thumb = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody said about the answer to one request.

    `score` is from 0 (bad) to 1 (good); a thumb up is 1, a thumb down 0. `seq` grows with the order of arrival.
    """

    id: FeedbackId
    seq: int
    request_id: str
    score: float
    thumb: Thumb | None
    comment: str | None
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class FeedbackSummary:
    """Feedback of a time span; of several on one request the newest counts.

    `satisfaction` is the share with a score of at least 0.5, `mean_score` their mean; both None when there is none.
    """

    since: datetime
    until: datetime
    count: int
    ups: int
    downs: int
    comments: int
    mean_score: float | None
    satisfaction: float | None
