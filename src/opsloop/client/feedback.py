"""Feedback on answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.datasets.models import DatasetVersion
from opsloop.feedback.models import Feedback as Given
from opsloop.feedback.models import FeedbackSummary, Thumb
from opsloop.improvement.models import RatedAnswer
from opsloop.improvement.promotions.models import Draft, Promotion
from opsloop.improvement.tuning.models import TuningData
from opsloop.improvement.weeks.models import WeekReport

WEEK_S = 7 * 86_400


class Feedback:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        request_id: str,
        *,
        thumb: Thumb | None = None,
        score: float | None = None,
        csat: int | None = None,
        comment: str | None = None,
        tags: Sequence[str] = (),
        correction: str | None = None,
    ) -> Given:
        """Say how good the answer to a request was: a thumb, a score from 0 to 1, or satisfaction from 1 to 5.

        Args:
            correction: what the answer should have been.
        """
        given = {
            "request_id": request_id,
            "thumb": thumb,
            "score": score,
            "csat": csat,
            "comment": comment,
            "tags": list(tags),
            "correction": correction,
        }
        return self._connection.post("/feedback", Given, body=given)

    def listed(
        self,
        *,
        request_id: str | None = None,
        satisfied: bool | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Given]:
        """The newest first."""
        said = None if satisfied is None else str(satisfied).lower()
        query: dict[str, Any] = {"request_id": request_id, "satisfied": said, "before": before, "limit": limit}
        return self._connection.items("/api/feedback", Given, **query)

    def answers(
        self, *, endpoint: str | None = None, satisfied: bool | None = None, limit: int = 50
    ) -> list[RatedAnswer]:
        """Rated answers with their texts, those with the newest feedback first."""
        said = None if satisfied is None else str(satisfied).lower()
        query: dict[str, Any] = {"endpoint": endpoint, "satisfied": said, "limit": limit}
        return self._connection.items("/api/feedback/answers", RatedAnswer, **query)

    def answer(self, request_id: str) -> RatedAnswer:
        """One answer with all that is kept of it."""
        return self._connection.get(path("api", "feedback", "answers", request_id), RatedAnswer)

    def draft(self, request_id: str, dataset: str, **more: str | None) -> Draft:
        """The golden row that `promote` would add, and what speaks against it; the same arguments."""
        body = {"request_id": request_id, "dataset": dataset, **more}
        return self._connection.post("/api/feedback/promotions/draft", Draft, body=body)

    def promote(self, request_id: str, dataset: str, **more: str | None) -> Promotion:
        """Make the corrected answer to a request a row of a golden dataset.

        Args:
            more: `answer` and `question` instead of what is kept, `question_column` and `answer_column` where the usual
                names do not fit, `reason` for a row that stands in training data or prompts.
        """
        body = {"request_id": request_id, "dataset": dataset, **more}
        return self._connection.post("/api/feedback/promotions", Promotion, body=body)

    def take_back(self, dataset: str) -> DatasetVersion:
        """Let the dataset's name stand for the version before its last promotion."""
        return self._connection.post(path("api", "feedback", "promotions", dataset, "undo"), DatasetVersion)

    def export(self, endpoint: str, format: str, *, days: float = 90) -> TuningData:
        """Rated answers as `openai-chat`, `preference` or `dataset`, and how many were left out for which reason."""
        body = {"endpoint": endpoint, "format": format, "days": days}
        return self._connection.post("/api/feedback/exports", TuningData, body=body)

    def week(self, week: str = "last") -> WeekReport:
        """What people said in a week such as `2026-W47`; `last`: the newest that is over."""
        return self._connection.get(path("api", "feedback", "weeks", week), WeekReport)

    def summary(self, *, window_s: int = WEEK_S) -> FeedbackSummary:
        """Figures over a window that ends now."""
        return self._connection.get("/api/feedback/summary", FeedbackSummary, window=window_s)
