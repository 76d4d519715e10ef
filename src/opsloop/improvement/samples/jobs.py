"""Score live answers as a job: a sample of what each endpoint kept since the last time.

The scores and how far the work is go into one transaction: after `kill -9` the same sample is drawn and scored again,
and nothing is counted twice. Of two jobs that overlap the one that ends second finds the work done and leaves.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from opsloop.core.caller import system
from opsloop.core.errors import OpsloopError
from opsloop.core.jobs.registry import JobContext, job
from opsloop.core.workspace import Workspace
from opsloop.improvement.samples import rhythm, scoring, service
from opsloop.improvement.samples._tables import ScoringRow
from opsloop.improvement.samples.declared import parse
from opsloop.improvement.samples.models import Scoring
from opsloop.monitoring.objectives import scores
from opsloop.monitoring.objectives.scores import Score
from opsloop.monitoring.texts import service as texts
from opsloop.monitoring.texts.service import Arrived

log = structlog.get_logger()
BY = system("scoring")
_HASHES = 2**32


def schedule(workspace: Workspace) -> None:
    """Have answers scored where that is declared; where the database takes nothing just now the platform starts all the
    same."""
    try:
        with workspace.reading(BY) as uow:
            is_kept = rhythm.is_kept(uow)
        if not is_kept:
            with workspace.writing(BY) as uow:
                rhythm.keep(uow)
    except OpsloopError as error:
        log.warning("scoring_not_scheduled", reason=error.sentence)


@job(rhythm.KIND)
def run(context: JobContext, payload: dict[str, Any]) -> None:
    workspace = context.workspace
    with workspace.reading(BY) as uow:
        endpoints = service.endpoints(uow)
    failed: Exception | None = None
    for done, endpoint in enumerate(endpoints):
        context.progress(done, len(endpoints), endpoint)
        try:
            score(workspace, endpoint)
        except OpsloopError as error:  # a judge that is away: the other endpoints need not wait for it
            log.warning("answers_not_scored", endpoint=endpoint, reason=error.sentence)
            failed = error
        context.yield_back()
    if failed is not None:
        raise failed


@dataclass(frozen=True, slots=True)
class _Begun:
    scoring: Scoring
    after: int
    arrived: Sequence[Arrived]


def score(workspace: Workspace, endpoint: str) -> int:
    """Score a sample of what came since the last time; returns how many scores were kept.

    Raises: what an evaluator raises that concerns no single answer; the sample is then drawn again the next time.
    """
    with workspace.reading(BY) as uow:
        row = uow.session.get(ScoringRow, endpoint)
        if row is None:
            return 0
        begun = _Begun(parse(endpoint, row.declared), row.done_seq, texts.arrived(uow, endpoint, row.done_seq))
        if not begun.arrived:
            return 0
        kept = texts.of_requests(uow, drawn(begun.scoring, begun.arrived, uow.clock.now()))
    of_endpoint = [each for each in kept.values() if each.endpoint == endpoint]
    found: list[Score] = []
    for measure in begun.scoring.measures:
        found += scoring.scored(measure, of_endpoint)
    with workspace.writing(BY) as uow:
        present = uow.session.get(ScoringRow, endpoint, with_for_update=True)
        if present is None or present.done_seq != begun.after:
            return 0
        count = 0
        for at in range(0, len(found), scores.MOST):
            count += scores.take(uow, endpoint, found[at : at + scores.MOST]).kept
        present.done_seq = begun.arrived[-1].seq
    return count


def drawn(wanted: Scoring, arrived: Sequence[Arrived], now: datetime) -> list[str]:
    """Requests whose answers are scored, by a hash of their ids: the same when they are drawn again."""
    hashed = sorted((zlib.crc32(each.request_id.encode()), each.request_id) for each in arrived)
    chosen = [request_id for number, request_id in hashed if number < wanted.share * _HASHES]
    part = now.minute // (60 // rhythm.RUNS_AN_HOUR)
    most = wanted.per_hour * (part + 1) // rhythm.RUNS_AN_HOUR - wanted.per_hour * part // rhythm.RUNS_AN_HOUR
    return chosen[:most]
