"""Take a candidate back: a suspect names a release that is being rolled out."""

from __future__ import annotations

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.models import Incident
from opsloop.remediation.playbooks.playbook import Fit
from opsloop.remediation.playbooks.suspects import SuspectedRelease, suspected_releases


class TakeBackCandidate:
    name = "take-back-candidate"
    title = "Take the candidate to blame back"
    action = "rollout.take_back"

    def fits(self, uow: UnitOfWork, incident: Incident) -> list[Fit]:
        found = suspected_releases(uow, incident)
        return [fit for each in found if (fit := self._fit(each)) is not None][:1]

    def _fit(self, found: SuspectedRelease) -> Fit | None:
        rollout, endpoint = found.state.rollout, found.state.endpoint.name
        if rollout is None or rollout.status.is_over or rollout.number != found.number or found.state.stable is None:
            return None
        return Fit(
            target=f"endpoint/{endpoint}",
            endpoint=endpoint,
            because=(f"release {found.number} of {endpoint} is being rolled out", *found.suspect.evidence),
            against=found.suspect.counter_evidence,
            questions=(
                f"Does stable, release {found.state.stable.number}, have the same trouble at the same time?",
                "Is what the analysis of the rollout compares the same thing that the signals are about?",
            ),
            checklist=(
                f"Look at the rollout's evidence: opsloop release history {endpoint}",
                f"Take release {found.number} back: stable serves everybody then",
                "Watch whether the signals of the incident are over",
            ),
            parameters={"endpoint": endpoint, "rollout": rollout.id},
        )


PLAYBOOK = TakeBackCandidate()
