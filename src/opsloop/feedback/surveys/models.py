"""The nouns of surveys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NewType

from opsloop.feedback.surveys.declaration import Declaration

InvitationId = NewType("InvitationId", str)


@dataclass(frozen=True, slots=True)
class Survey:
    name: str
    declared: dict[str, Any]
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link with which one response can be given; `path` is where, on this platform."""

    id: InvitationId
    survey: str
    endpoint: str | None
    request_id: str | None
    sent_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    path: str


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An invitation and what it asks."""

    invitation: Invitation
    asks: Declaration


@dataclass(frozen=True, slots=True)
class Response:
    """What somebody answered, by the question's id; words are without personal data."""

    seq: int
    survey: str
    endpoint: str | None
    request_id: str | None
    answered_at: datetime
    answers: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval; all None when there is nothing to take a share of."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class SurveyFigures:
    """What a survey's invitations of a time span came to.

    `response` is the share that was answered. `csat` is the share of 4 and 5 among answers from 1 to 5. `nps` is the
    percentage of promoters (9, 10) less that of detractors (0 to 6), -100 to 100, with its 95 % interval.
    `choices` counts options by question.
    """

    survey: str
    since: datetime
    until: datetime
    response: Rate
    csat: Rate
    nps: float | None
    nps_low: float | None
    nps_high: float | None
    nps_count: int
    choices: dict[str, dict[str, int]]
