"""The noun that all of this is about: an answer and what people say of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opsloop.feedback.models import Feedback
from opsloop.feedback.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class RatedAnswer:
    """An answer with what was said of it, the newest first.

    `endpoint`, `release` and `at` are None where no record of the request is here. `question` and `answer` are None
    where the endpoint keeps no texts, or they are past their days.
    """

    request_id: str
    endpoint: str | None
    release: str | None
    arm: str | None
    subject: str | None
    at: datetime | None
    given: tuple[Feedback, ...]
    tickets: tuple[Ticket, ...]
    question: str | None
    answer: str | None
    earlier_turns: int

    @property
    def is_satisfied(self) -> bool | None:
        """What was said last; None when there are only tickets."""
        return self.given[0].is_satisfied if self.given else None

    @property
    def correction(self) -> str | None:
        """What the answer should have been, as somebody said last."""
        return next((each.correction for each in self.given if each.correction), None)

    @property
    def comments(self) -> tuple[str, ...]:
        return tuple(each.comment for each in self.given if each.comment)
