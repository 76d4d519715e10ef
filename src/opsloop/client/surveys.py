"""Surveys: declare them, invite to them, read what came back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.feedback.surveys.models import Invitation, Response, Survey, SurveyFigures


class Surveys:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def listed(self) -> list[Survey]:
        return self._connection.items("/api/surveys", Survey)

    def get(self, name: str) -> Survey:
        return self._connection.get(path("api", "surveys", name), Survey)

    def declare(self, name: str, declared: Mapping[str, Any]) -> Survey:
        """Make a survey, or change what it asks."""
        return self._connection.put(path("api", "surveys", name), Survey, body=dict(declared))

    def invite(self, name: str, *, request_id: str | None = None) -> Invitation:
        """A link that is good for one response."""
        at = path("api", "surveys", name, "invitations")
        return self._connection.post(at, Invitation, body={"request_id": request_id})

    def address(self, invitation: Invitation) -> str:
        """Where its form is."""
        return f"{self._connection.url}{invitation.path}"

    def figures(self, name: str, *, window_s: int) -> SurveyFigures:
        return self._connection.get(path("api", "surveys", name, "figures"), SurveyFigures, window=window_s)

    def responses(self, name: str, *, before: int | None = None, limit: int = 100) -> list[Response]:
        at = path("api", "surveys", name, "responses")
        return self._connection.items(at, Response, before=before, limit=limit)
