"""The nouns of a week's report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opsloop.feedback.surveys.models import Rate, SurveyFigures
from opsloop.improvement.themes.models import Themes


@dataclass(frozen=True, slots=True)
class Change:
    """Satisfaction less that of the week before, with the 95 % interval of the difference; it `is_clear` when the
    interval leaves out 0."""

    before: Rate
    difference: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class WeekLine:
    """One endpoint, or one of its releases; `endpoint` is empty for answers of which there is no record.

    `satisfaction` is of rated answers, `response` the share of answered requests that were rated. `csat` is the share
    of 4 and 5 among answers on the scale of 1 to 5.
    """

    endpoint: str
    release: str | None
    number: int | None
    satisfaction: Rate
    response: Rate
    csat: Rate
    mean_score: float | None
    comments: int
    tickets: int
    change: Change | None


@dataclass(frozen=True, slots=True)
class WorstAnswer:
    """An answer that people did not like, by its id: its words are kept where they were, for as long as they may be."""

    request_id: str
    endpoint: str | None
    release: str | None
    score: float | None
    said: int
    tickets: int


@dataclass(frozen=True, slots=True)
class WeekReport:
    """What people said from `since` until `until`; `is_over` when the week is, and the report stays as it is."""

    week: str
    since: datetime
    until: datetime
    is_over: bool
    made_at: datetime
    endpoints: tuple[WeekLine, ...]
    releases: tuple[WeekLine, ...]
    surveys: tuple[SurveyFigures, ...]
    tickets: int
    themes: Themes
    worst: tuple[WorstAnswer, ...]

    @property
    def rated(self) -> int:
        return sum(line.satisfaction.of for line in self.endpoints)

    @property
    def sentence(self) -> str:
        """The week in a line."""
        good = sum(line.satisfaction.count for line in self.endpoints)
        if not self.rated:
            return f"{self.week}: nobody rated an answer; {self.tickets} tickets"
        worse = [
            line.endpoint for line in self.endpoints if line.change and line.change.is_clear and line.change.high < 0
        ]
        themes = ", ".join(f'"{each.name}" ({each.size})' for each in self.themes.themes[:3])
        said = f"{self.week}: {good} of {self.rated} rated answers were good ({good / self.rated:.0%}); "
        said += f"{self.tickets} tickets"
        said += f"; worse than the week before: {', '.join(worse)}" if worse else ""
        return said + (f"; themes: {themes}" if themes else "")
