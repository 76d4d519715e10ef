"""The nouns of feedback."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NewType

FeedbackId = NewType("FeedbackId", str)
Thumb = Literal["up", "down"]
SATISFIED = 0.5
SATISFIED_CSAT = 4


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody said about the answer to one request.

    `score` is from 0 (bad) to 1 (good); a thumb up is 1, a thumb down 0; `csat` is satisfaction from 1 to 5, of which 1
    is 0 and 5 is 1. `correction` is what the answer should have been. `seq` grows with the order of arrival. Words
    are kept without the personal data that was found in them.
    """

    id: FeedbackId
    seq: int
    request_id: str
    score: float
    thumb: Thumb | None
    comment: str | None
    created_at: datetime
    created_by: str
    csat: int | None = None
    tags: tuple[str, ...] = ()
    correction: str | None = None
    source: str = "api"

    @property
    def is_satisfied(self) -> bool:
        """Of five steps the upper two count, as CSAT is read; of a score the upper half."""
        return self.csat >= SATISFIED_CSAT if self.csat is not None else self.score >= SATISFIED


@dataclass(frozen=True, slots=True)
class FeedbackSummary:
    """Feedback of a time span; of several on one request the newest counts.

    `satisfaction` is the share with a score of at least 0.5, of CSAT with 4 or 5; `mean_score` is the
    mean; both None when there is none.
    """

    since: datetime
    until: datetime
    count: int
    ups: int
    downs: int
    comments: int
    mean_score: float | None
    satisfaction: float | None
