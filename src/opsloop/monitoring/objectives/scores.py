"""Scores of answers in production, by whoever scores them: counted into quality, and into privacy where one leaks.

A score is kept once per request, measure and evaluator; the same again changes nothing, another one takes the place of
the first, and its number. Texts are no part of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.db.order import one_after_another
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring import records
from opsloop.monitoring.objectives import tallying
from opsloop.monitoring.objectives._tables import ScoreRow
from opsloop.monitoring.objectives.models import Measure, Tally
from opsloop.monitoring.objectives.tallying import Entry

Scored = Literal["quality", "privacy"]
MOST = 1_000
_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")


@dataclass(frozen=True, slots=True)
class Score:
    """What an evaluator says of one answer.

    Args:
        value: from 0 (bad) to 1 (good); at least `passes_from` is good.
        evaluator: its name; an answer may have one score of each.
    """

    request_id: str
    value: float
    measure: Scored = "quality"
    evaluator: str = "default"
    passes_from: float = 0.5

    @property
    def is_good(self) -> bool:
        return self.value >= self.passes_from


@dataclass(frozen=True, slots=True)
class ScoresTaken:
    """`unknown` are requests of which this endpoint has no record."""

    kept: int
    same: int
    unknown: tuple[str, ...]


def take(uow: UnitOfWork, endpoint: str, scores: Sequence[Score]) -> ScoresTaken:
    """Keep scores and count them at the moment of their requests. Rings "records". Raises: InvalidInput."""
    uow.by.require(Role.DEVELOPER)
    if len(scores) > MOST:
        raise InvalidInput(f"scores: {len(scores)} at once; wanted at most {MOST}", field="scores")
    one_after_another(uow.session, ScoreRow.__tablename__)
    entries: list[Entry] = []
    unknown: list[str] = []
    kept = same = 0
    for place, score in enumerate(scores):
        _check(f"scores[{place}]", score)
        found = [record for _, record in records.newest(uow, endpoint=endpoint, request_id=score.request_id, limit=1)]
        if not found:
            unknown.append(score.request_id)
            continue
        changed = _keep(uow, endpoint, score)
        if changed is None:
            same += 1
            continue
        kept += 1
        entries.append(Entry(endpoint, Measure(score.measure), found[0].started_at, changed))
    tallying.add(uow, entries)
    if kept:
        uow.ring(records.BELL)
    return ScoresTaken(kept, same, tuple(unknown))


def _keep(uow: UnitOfWork, endpoint: str, score: Score) -> Tally | None:
    """What the score adds to the tallies; None when it was there."""
    key = (endpoint, score.request_id, str(score.measure), score.evaluator)
    row = uow.session.scalar(
        select(ScoreRow)
        .where(
            ScoreRow.endpoint == key[0],
            ScoreRow.request_id == key[1],
            ScoreRow.measure == key[2],
            ScoreRow.evaluator == key[3],
        )
        .with_for_update()
    )
    if row is None:
        row = ScoreRow(endpoint=key[0], request_id=key[1], measure=key[2], evaluator=key[3])
        row.value, row.is_good, row.scored_at, row.scored_by = score.value, score.is_good, uow.clock.now(), uow.by.name
        uow.session.add(row)
        uow.session.flush()
        return Tally(1, int(score.is_good))
    if row.value == score.value and row.is_good == score.is_good:
        return None
    change = Tally(0, int(score.is_good) - int(row.is_good))
    row.value, row.is_good, row.scored_at, row.scored_by = score.value, score.is_good, uow.clock.now(), uow.by.name
    return change


def _check(at: str, score: Score) -> None:
    for field, value in (("request_id", score.request_id), ("evaluator", score.evaluator)):
        if not _ID.fullmatch(value):
            raise InvalidInput(field=f"{at}.{field}", value=value, wanted="1 to 100 letters, digits and ._:-")
    for field, number in (("value", score.value), ("passes_from", score.passes_from)):
        if not math.isfinite(number) or not 0 <= number <= 1:
            raise InvalidInput(field=f"{at}.{field}", value=number, wanted="a number from 0 to 1")
