"""Retrain: what a model is asked has drifted from what it learned, and its endpoint says how it is renewed."""

from __future__ import annotations

from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import service as incidents
from opsloop.incidents.models import Incident, Signal
from opsloop.releases import renewal_policy
from opsloop.releases.renewals import service as renewals
from opsloop.remediation.playbooks.playbook import Fit


class RetrainDriftedModel:
    name = "retrain-drifted-model"
    title = "Train the drifted model anew"
    action = "model.retrain"

    def fits(self, uow: UnitOfWork, incident: Incident) -> list[Fit]:
        drifted = [each for each in incidents.signals_of(uow, incident.id) if _is_drift(each)]
        endpoints = dict.fromkeys(each.subject.endpoint for each in drifted)
        found = (self._fit(uow, each, [one for one in drifted if one.subject.endpoint == each]) for each in endpoints)
        return [each for each in found if each is not None]

    def _fit(self, uow: UnitOfWork, endpoint: str, drifted: list[Signal]) -> Fit | None:
        try:
            served = renewals.renewed_release(uow, endpoint)
        except NotFound:
            return None
        if served is None:
            return None
        last = next(iter(renewals.listed(uow, endpoint=endpoint, limit=1)), None)
        if last is not None and not last.state.is_over:
            return None
        policy = renewal_policy.of_config(served.config)
        cooling = renewals.why_not_now(uow, endpoint, policy) if policy is not None else None
        before = (f"its last renewal ended {last.state.value}: {last.said}",) if last is not None else ()
        return Fit(
            target=f"endpoint/{endpoint}",
            endpoint=endpoint,
            because=(*(each.text for each in drifted), f"{endpoint} serves {served.serves}, which its policy renews"),
            against=(*before, *((cooling,) if cooling else ())),
            questions=(
                f"Did the world of {endpoint} change, or what sends it rows (a unit, a default, a broken sensor)?",
                "Are there enough rows of the new kind with their truth to learn from?",
                f"Would {served.serves} be right again soon, as after a holiday?",
            ),
            checklist=(
                f"See what drifted: opsloop monitor drift {endpoint}",
                "Rule out that what sends the rows is broken: a model that learns from broken rows is worse",
                f"Renew the model of {endpoint}",
                "Read the verdict of the gate before the challenger serves everybody",
            ),
            parameters={"endpoint": endpoint},
        )


def _is_drift(signal: Signal) -> bool:
    return signal.kind == "drift" and bool(signal.subject.endpoint) and signal.ended_at is None


PLAYBOOK = RetrainDriftedModel()
