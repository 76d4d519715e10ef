"""Feedback on answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opsloop.client.connection import Connection
from opsloop.feedback.models import Feedback as Given
from opsloop.feedback.models import FeedbackSummary, Thumb

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

    def summary(self, *, window_s: int = WEEK_S) -> FeedbackSummary:
        """Figures over a window that ends now."""
        return self._connection.get("/api/feedback/summary", FeedbackSummary, window=window_s)
