"""Ask: what a person would want to know of any incident, with what is known already. It never acts."""

from __future__ import annotations

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.models import Incident
from opsloop.remediation.playbooks.playbook import Fit

MOST = 3


class AskAround:
    name = "ask-around"
    title = "Find out what changed and who is affected"
    action = ""

    def fits(self, uow: UnitOfWork, incident: Incident) -> list[Fit]:
        subjects = ", ".join(each.partition(":")[2] for each in incident.subjects) or "what the signals are about"
        noun = "signal is" if incident.signal_count == 1 else "signals are"
        suspects = [each.name for each in incident.suspects[:MOST]]
        named = f"The first suspects are {'; '.join(suspects)}. " if suspects else "No suspect is named. "
        like = [f"{each.incident} was {each.cause or each.closed_as.value}" for each in incident.similar[:MOST]]
        before = f"Like it before: {'; '.join(like)}. " if like else "Nothing like it was closed before. "
        return [
            Fit(
                target=f"incident/{incident.id}",
                endpoint=incident.endpoint,
                because=(f"{incident.signal_count} {noun} about {subjects}",),
                questions=(
                    f"Who is affected, and since when? The first signal was at {incident.opened_at:%Y-%m-%d %H:%MZ}.",
                    f"{named}Which of them changed shortly before that?",
                    f"{before}Is this the same again?",
                    f"What of {subjects} still works, and what does that rule out?",
                ),
                checklist=(
                    f"Say that you deal with it: opsloop incident ack {incident.id}",
                    f"Read its suspects and timeline: opsloop incident show {incident.id}",
                    "Write what you find into its timeline, for those who come after",
                    f"Close it with what it was: opsloop incident close {incident.id} --as CAUSE",
                ),
            )
        ]


PLAYBOOK = AskAround()
