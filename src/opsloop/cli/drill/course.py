"""The course of a drill: the same trouble again and again, until its repair acts by itself, or makes things worse.

The platform, its requests, alarms, repairs and checks are real; only the trouble is made, and whoever says yes. The
record that earns level 5 is one of drills, and stays on the platform of its drill.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from opsloop.cli import story
from opsloop.cli.drill import policy, telling
from opsloop.cli.drill.trouble import PLAYBOOK, Trouble, WrongModel
from opsloop.cli.drill.wanted import DrillWanted
from opsloop.client import apply, plan
from opsloop.client.http import Client
from opsloop.client.project import Project
from opsloop.core.errors import AnswerIsNo
from opsloop.incidents.models import Incident
from opsloop.remediation.models import Level, Remediation, Standing, State

REASON = "a drill says yes to what it was shown"


class DrillFailed(AnswerIsNo):
    template = "the drill did not go as it should: {said}"


class Course:
    """Args: folder: where postmortems are written; go_on: called between looks, it raises when the platform stops."""

    def __init__(
        self, client: Client, project: Project, wanted: DrillWanted, url: str, folder: Path, go_on: Callable[[], None]
    ) -> None:
        self._client = client
        self._project = project
        self._wanted = wanted
        self._url = url
        self._folder = folder
        self._go_on = go_on
        self._known: set[str] = set()

    def run(self, *, successes: int, is_worse: bool) -> None:
        """Earn level 5, then let a repair act by itself; with `is_worse` one that makes things worse.

        Raises: DrillFailed, DrillStuck, and what the platform refuses.
        """
        story.step("policy", _policy(successes))
        for outcome in apply.perform(self._client, self._project, plan.make(self._client, self._project)):
            self._go_on()
            story.step(outcome.step.noun, f"{outcome.step.name}: {outcome.says}")
        trouble = Trouble(self._client, self._url, self._wanted, self._go_on)
        try:
            wrong = trouble.learn()
            telling.learned(wrong)
            for turn in range(1, successes + 1):
                self._approved(trouble, wrong, turn, successes)
            self._earned()
            last = self._worse(trouble, wrong) if is_worse else self._by_itself(trouble, wrong)
            asked, failed = trouble.callers.asked, trouble.callers.failed
            story.step("serve", f"{asked:,} rows asked over HTTP, {failed:,} not answered")
        finally:
            trouble.callers.close()
        self._write(last)
        if not self._client.audit.verify().ok:
            raise DrillFailed(said="its audit trail does not hold")
        story.step("audit", "the record of all this holds: `opsloop audit verify`")

    def _approved(self, trouble: Trouble, wrong: WrongModel, turn: int, turns: int) -> None:
        """The trouble once, repaired after a yes; at the first time the undo is rehearsed before."""
        story.scene(f"Turn {turn} of {turns}: a model is released; {self._wanted.says}")
        incident, repair = self._broken(trouble, wrong, rehearses=turn == 1)
        if repair.level is not Level.SCRIPT:
            raise DrillFailed(said=f"{PLAYBOOK} has level {repair.level.value}, not 4: {'; '.join(repair.why_level)}")
        self._client.remediations.approve(repair.id, digest=repair.digest, reason=REASON)
        ended = trouble.over(repair.id)
        self._closed(incident, ended, State.HELPED)

    def _earned(self) -> None:
        standing = self._standing()
        if standing.level is not Level.EXECUTION:
            raise DrillFailed(said=f"{PLAYBOOK} has level {standing.level.value}: {'; '.join(standing.missing)}")
        record = standing.record
        in_a_row = f"{record.since_failure} verified successes in a row"
        bound = f"chance of success above {record.lower_bound:.2f}"
        story.scene(f"{PLAYBOOK} earned level 5: {in_a_row}, {bound}, its undo was seen to work")

    def _by_itself(self, trouble: Trouble, wrong: WrongModel) -> str:
        story.scene("The same once more, and nobody is asked")
        incident, repair = self._broken(trouble, wrong)
        self._check_by_itself(repair)
        ended = trouble.over(repair.id)
        self._closed(incident, ended, State.HELPED)
        return incident.id

    def _worse(self, trouble: Trouble, wrong: WrongModel) -> str:
        story.scene(f"The same once more, nobody is asked, and as it acts {self._wanted.moved}")
        incident, repair = self._broken(trouble, wrong)
        self._check_by_itself(repair)
        trouble.acted(repair.id)
        trouble.move(is_moved=True)
        ended = trouble.over(repair.id)
        self._closed(incident, ended, State.UNDONE)
        story.step("release", f"release {trouble.stable().number} of {trouble.endpoint} serves again")
        standing = self._standing()
        story.step("autonomy", f"{PLAYBOOK} is back at level {standing.level.value}: {'; '.join(standing.missing)}")
        return incident.id

    def _broken(self, trouble: Trouble, wrong: WrongModel, *, rehearses: bool = False) -> tuple[Incident, Remediation]:
        """The wrong model serves, and callers ask until an incident names it and a repair is proposed."""
        made = trouble.release(wrong)
        telling.released(made, trouble.endpoint)
        number = made.release.number
        if rehearses:
            self._rehearse(trouble.endpoint, number)
        incident = trouble.incident(other_than=self._known)
        self._known.add(incident.id)
        telling.incident(incident, self._url)
        blamed = f"endpoint/{trouble.endpoint}, release {number}"
        if incident.suspects[0].name != blamed:
            raise DrillFailed(said=f"the first suspect is {incident.suspects[0].name}, and it was {blamed}")
        repair = trouble.repair(incident.id)
        telling.repair(repair, self._url)
        return incident, repair

    def _rehearse(self, endpoint: str, number: int) -> None:
        started = self._client.remediations.rehearse(PLAYBOOK, {"endpoint": endpoint, "release": number})
        ended = self._client.remediations.wait(started.id)
        if ended.state is not State.REHEARSED:
            raise DrillFailed(said=f"the rehearsal is {ended.state.value}: {ended.outcome}")
        story.step("rehearsal", ended.outcome)

    def _check_by_itself(self, repair: Remediation) -> None:
        if repair.level is not Level.EXECUTION or repair.votes:
            raise DrillFailed(said=f"it did not act by itself: {'; '.join(repair.why_level)}")

    def _closed(self, incident: Incident, ended: Remediation, wanted: State) -> None:
        """Tell how a repair ended, and close its incident as what it was."""
        telling.ended(ended)
        self._client.incidents.close(incident.id, closed_as="cause", cause=incident.suspects[0].name)
        if ended.state is not wanted:
            raise DrillFailed(said=f"the repair is {ended.state.value}, not {wanted.value}: {ended.outcome}")

    def _standing(self) -> Standing:
        return next(each for each in self._client.remediations.playbooks() if each.playbook == PLAYBOOK)

    def _write(self, incident: str) -> None:
        for form in ("html", "md"):
            file = self._folder / f"postmortem.{form}"
            document = self._client.incidents.report(incident, form="html" if form == "html" else "md")
            file.write_text(document, encoding="utf-8")
            story.step("postmortem" if form == "html" else "", str(file))


def _policy(successes: int) -> str:
    said = f"{PLAYBOOK} may act by itself after {successes} verified successes in a row"
    bound = policy.bound(successes)
    if successes < policy.USUAL_SUCCESSES:
        said += f" and a chance of success above {bound:.2f}; without a setting it takes"
        said += f" {policy.USUAL_SUCCESSES} and {policy.USUAL_BOUND:.2f}"
    return f"{said}. What is earned in a drill counts nowhere else."
