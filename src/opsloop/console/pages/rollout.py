"""`/rollouts/{id}`: what happened to a candidate on its way, with the evidence."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from opsloop.console import evidence, live, words
from opsloop.console.page import Frame, Place, page, shape_of
from opsloop.console.page_router import PageRouter
from opsloop.core.web.dependencies import Reading
from opsloop.core.workspace import UnitOfWork
from opsloop.releases import rollouts
from opsloop.releases.experiments import intervals, reading
from opsloop.releases.experiments import service as experiments
from opsloop.releases.models import RolloutHistory
from opsloop.releases.strategies import ab

router = PageRouter()
MOST_EVENTS = 500


def _shape(history: RolloutHistory) -> str:
    names = [fact.name for fact in evidence.facts(history.rollout.evidence)]
    return shape_of([history.rollout.status, history.rollout.share, len(history.events), names])


@live.topic("rollout")
def look(uow: UnitOfWork, argument: str) -> live.Snapshot:
    history = rollouts.get(uow, argument)
    shown = history.rollout
    values = {f"fact/{fact.name}": fact.figure for fact in evidence.facts(shown.evidence)}
    values |= {"reason": shown.reason, "analysis": evidence.sentence(shown.evidence)}
    return live.Snapshot(values, _shape(history))


@router.get("/rollouts/{rollout}")
def rollout(request: Request, uow: Reading, rollout: str) -> Response:
    history = rollouts.get(uow, rollout)
    shown = history.rollout
    experiment = experiments.report(uow, rollout) if shown.strategy == ab.NAME else None
    endpoint = f"/endpoints/{words.segment(shown.endpoint)}"
    frame = Frame(
        f"Rollout of release {shown.number}",
        trail=(Place("Overview", "/"), Place(shown.endpoint, endpoint)),
        cli=f"opsloop release history {shown.endpoint}",
        json=f"/api/rollouts/{words.segment(shown.id)}",
        topics=() if shown.status.is_over and shown.evidence.get("final") else (f"rollout:{shown.id}",),
        shape=_shape(history),
    )
    return page(
        request,
        "rollout.html",
        frame,
        rollout=shown,
        events=list(enumerate(history.events, 1))[-MOST_EVENTS:],
        left_out=max(0, len(history.events) - MOST_EVENTS),
        facts=evidence.facts(shown.evidence),
        found=evidence.sentence(shown.evidence),
        troubles=evidence.troubles(shown.evidence),
        said=evidence.sentence,
        experiment=experiment,
        shadow=shown.evidence.get("shadow"),
        bars={each.name: intervals.bar(each) for each in experiment.metrics} if experiment else {},
        amount=reading.amount,
        level=reading.level,
        asked=history.waits_for,
        here=f"/rollouts/{words.segment(shown.id)}",
        endpoint=endpoint,
        now=uow.clock.now(),
    )
