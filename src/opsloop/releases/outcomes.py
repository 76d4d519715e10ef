"""How answers turned out: records, what callers said of them, their truth and their scores, each read once.

Everything that is weighed in a rollout or after one is read here, from stored rows alone: who begins anew reads the
same. Reading on is incremental.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from opsloop.core.workspace import UnitOfWork
from opsloop.feedback import service as feedback
from opsloop.feedback.models import Feedback
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.objectives import arrivals
from opsloop.monitoring.objectives.arrivals import LiveScore
from opsloop.releases import labelled
from opsloop.releases.labelled import Loss

PAGE = 2_000
MAX_EARLY = 10_000
"""Requests whose feedback came before their record and is kept; beyond it the oldest is forgotten."""


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody said, and the record of the answer that it is about."""

    record: RequestRecord
    given: Feedback


Outcome = RequestRecord | Word | Loss | LiveScore
Wanted = frozenset[type[Outcome]]


@dataclass(frozen=True, slots=True)
class Marks:
    """Numbers of the newest that is not read: it says nothing of what begins now."""

    record: int = 0
    feedback: int = 0
    label: int = 0
    score: int = 0


class Outcomes:
    """Reads on in the outcomes of one rollout, or of all that an endpoint answers.

    Args:
        rollout: None for the whole endpoint, which has records and words only.
        wanted: what is read; records always are.
        error_scale: of losses, as in `labelled`.
    """

    def __init__(
        self, endpoint: str, rollout: str | None, wanted: Wanted, after: Marks, *, error_scale: float | None = None
    ) -> None:
        self._endpoint = endpoint
        self._rollout = rollout
        self._wanted = wanted
        self._error_scale = error_scale
        self._last_record = after.record
        self._last_feedback = after.feedback
        self._last_label = after.label
        self._last_score = after.score
        self._early: dict[str, list[Feedback]] = {}

    def new(self, uow: UnitOfWork) -> Iterator[Outcome]:
        """What came since the last time; read it to its end."""
        yield from self._records(uow)
        if Word in self._wanted:
            yield from self._words(uow)
        if self._rollout is not None and Loss in self._wanted:
            yield from self._losses(uow, self._rollout)
        if self._rollout is not None and LiveScore in self._wanted:
            yield from self._scores(uow, self._rollout)

    def _records(self, uow: UnitOfWork) -> Iterator[Outcome]:
        def page(after: int) -> list[tuple[int, RequestRecord]]:
            return records.since(uow, self._endpoint, self._rollout, after, PAGE)

        for number, record in _pages(page, self._last_record, lambda numbered: numbered[0]):
            self._last_record = number
            yield record
            for given in self._early.pop(record.request_id, ()):
                yield Word(record, given)

    def _words(self, uow: UnitOfWork) -> Iterator[Outcome]:
        after = self._last_feedback
        while given := feedback.since(uow, after, limit=PAGE):
            after = self._last_feedback = given[-1].seq
            known = records.all_of_requests(uow, {each.request_id for each in given})
            for each in given:
                if each.request_id not in known:
                    self._keep(each)
                yield from (Word(record, each) for record in known.get(each.request_id, ()) if self._is_mine(record))
            if len(given) < PAGE:
                return

    def _is_mine(self, record: RequestRecord) -> bool:
        return record.endpoint == self._endpoint and self._rollout in (None, record.rollout)

    def _keep(self, given: Feedback) -> None:
        self._early.setdefault(given.request_id, []).append(given)
        if len(self._early) > MAX_EARLY:
            del self._early[next(iter(self._early))]

    def _losses(self, uow: UnitOfWork, rollout: str) -> Iterator[Outcome]:
        def page(after: int) -> list[Loss]:
            return labelled.since(uow, self._endpoint, rollout, after, PAGE, scale=self._error_scale)

        for loss in _pages(page, self._last_label, _seq):
            self._last_label = loss.seq
            yield loss

    def _scores(self, uow: UnitOfWork, rollout: str) -> Iterator[Outcome]:
        def page(after: int) -> list[LiveScore]:
            return arrivals.after(uow, self._endpoint, rollout, after, PAGE)

        for score in _pages(page, self._last_score, _seq):
            self._last_score = score.seq
            yield score


T = TypeVar("T")


class _Numbered(Protocol):
    @property
    def seq(self) -> int: ...


def _seq(numbered: _Numbered) -> int:
    return numbered.seq


def _pages(page: Callable[[int], Sequence[T]], after: int, number: Callable[[T], int]) -> Iterator[T]:
    """Everything after a number, page by page."""
    while found := page(after):
        yield from found
        after = number(found[-1])
        if len(found) < PAGE:
            return
