"""Roll back: a suspect names the release that serves everybody, and there is one before it to go back to."""

from __future__ import annotations

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import service as incidents
from opsloop.incidents.models import Incident, Signal
from opsloop.releases import reversals
from opsloop.remediation.playbooks.playbook import Fit
from opsloop.remediation.playbooks.suspects import SuspectedRelease, suspected_releases


class RollBackRelease:
    name = "roll-back-release"
    title = "Roll back the release to blame"
    action = "release.rollback"

    def fits(self, uow: UnitOfWork, incident: Incident) -> list[Fit]:
        found = suspected_releases(uow, incident)
        return [fit for each in found if (fit := self._fit(uow, incident, each)) is not None][:1]

    def _fit(self, uow: UnitOfWork, incident: Incident, found: SuspectedRelease) -> Fit | None:
        state, endpoint = found.state, found.state.endpoint.name
        under_way = state.rollout is not None and not state.rollout.status.is_over
        if state.stable is None or state.stable.number != found.number or under_way:
            return None
        target = reversals.earlier_than_stable(uow, endpoint)
        if target is None:
            return None
        drifted = [each.text for each in incidents.signals_of(uow, incident.id) if _is_drift(each, endpoint)]
        others = (f"it is suspect {found.rank}, not the first",) if found.rank > 1 else ()
        return Fit(
            target=f"endpoint/{endpoint}",
            endpoint=endpoint,
            because=(f"release {found.number} of {endpoint} is a suspect", *drifted, *found.suspect.evidence),
            against=(*others, *found.suspect.counter_evidence),
            questions=(
                f"Did the trouble begin when release {found.number} of {endpoint} came, or was it there before?",
                f"Is release {target}, which served before, known to be free of it?",
                f"Does anything that changed together with release {found.number} (data, an index, a schema of callers)"
                f" need it, so that release {target} would fail?",
                "Do other endpoints show the same trouble, which would speak for a cause outside of this release?",
            ),
            checklist=(
                f"Compare release {found.number} with {target}: opsloop release diff {endpoint} {target} "
                f"{found.number}",
                f"Tell those who wait for what release {found.number} brought",
                f"Roll {endpoint} back to release {target}",
                f"Watch errors and latency of {endpoint} until the signals of the incident are over",
                f"Keep release {found.number} from being released again until its cause is mended",
            ),
            parameters={"endpoint": endpoint, "release": found.number},
        )


def _is_drift(signal: Signal, endpoint: str) -> bool:
    """Whether it tells that what the release is asked differs from what its model learned."""
    return signal.kind == "drift" and signal.subject.endpoint == endpoint and signal.ended_at is None


PLAYBOOK = RollBackRelease()
