"""The trouble of a drill: a model that learned the wrong rows serves an endpoint, and what the platform makes of it.

The wrong model comes in as any other: it is trained, evaluated, passes a gate that asks it what it learned, and is
released. All that follows is found by the platform itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from opsloop.cli.drill.callers import Callers
from opsloop.cli.drill.wanted import DrillWanted
from opsloop.client import experiment_files, experiments, pipelines
from opsloop.client.http import Client
from opsloop.core.errors import AnswerIsNo
from opsloop.datasets.formats import registry as formats
from opsloop.evaluation.models import GateReport, Run
from opsloop.incidents.models import Incident
from opsloop.releases.models import Release, Released
from opsloop.remediation.models import Remediation

PLAYBOOK = "roll-back-release"
PATIENCE_S = 180.0
BURST, PAUSE_S = 10, 0.02
BEFORE = 60
"""Requests to what serves before it is replaced: without them there is nothing to compare with."""
T = TypeVar("T")


class DrillStuck(AnswerIsNo):
    template = "the drill waited {patience_s:g} s for {what}, and {asked} requests to {endpoint} later it is not there"


class NothingToBreak(AnswerIsNo):
    template = "endpoint {endpoint} serves nothing, so there is nothing to break; `opsloop apply` says why"


@dataclass(frozen=True, slots=True)
class WrongModel:
    """A model that learned the wrong rows, such as `handover@2`, and the evaluation that its gate was asked about."""

    model: str
    data: str
    run: Run
    gate: GateReport


class Trouble:
    """Args: go_on: called between two looks; it raises when the platform stops."""

    def __init__(self, client: Client, url: str, wanted: DrillWanted, go_on: Callable[[], None]) -> None:
        self._client = client
        self._wanted = wanted
        self._go_on = go_on
        self.endpoint = wanted.endpoint.name
        self._usual = list(client.datasets.rows(wanted.dataset))
        self._other = list(formats.read(wanted.rows.name, wanted.rows.read_bytes()).rows)
        stable = self.stable()
        columns = [each.name for each in client.models.get(stable.serves).signature.inputs]
        self.callers = Callers(url, self.endpoint, self._usual, columns=columns)

    def move(self, *, is_moved: bool) -> None:
        """Let callers send rows such as the wrong model learned, or those of before."""
        self.callers.send_from(self._other if is_moved else self._usual)

    def stable(self) -> Release:
        stable = self._client.endpoints.get(self.endpoint).stable
        if stable is None:
            raise NothingToBreak(endpoint=self.endpoint)
        return stable

    def learn(self) -> WrongModel:
        """Train the wrong model and ask its gate; what was done before is not done again."""
        wanted = self._wanted
        data = self._client.datasets.register(wanted.rows.stem, wanted.rows).ref
        earlier = self._client.training.runs(wanted.endpoint.pipeline)
        model = next((each.model for each in earlier if each.data == data and each.model), None)
        if model is None:
            self._go_on()
            model = pipelines.run(self._client, wanted.endpoint.pipeline, dataset=data, reason="a drill").model
        self._go_on()
        target = f"model:{model}"
        done = [each for each in self._client.evaluations.listed(flow=target) if each.error is None]
        if done:
            run = self._client.evaluations.wait(done[0].id)
        else:
            experiment = experiment_files.read(wanted.experiment, target=target)
            run = experiments.run_read(self._client, experiment)
        return WrongModel(str(model), data, run, self._client.evaluations.gate(run.id))

    def release(self, wrong: WrongModel) -> Released:
        """Let the wrong model serve everybody at once, after the right one was asked for a while."""
        self.callers.ask(BEFORE)
        return self._client.endpoints.release(
            self.endpoint,
            model=wrong.model,
            config=self._wanted.endpoint.config,
            evaluation=wrong.run.id,
            strategy="blue-green",
        )

    def incident(self, *, other_than: Collection[str] = ()) -> Incident:
        """The next incident of the endpoint that names suspects."""

        def found() -> Incident | None:
            listed = self._client.incidents.listed(endpoint=self.endpoint)
            return next((each for each in listed if each.id not in other_than and each.suspects), None)

        return self.until(found, what="an incident that names a suspect")

    def repair(self, incident: str) -> Remediation:
        """The rollback that is proposed for an incident."""

        def found() -> Remediation | None:
            listed = self._client.remediations.listed(incident=incident)
            return next((each for each in listed if each.playbook == PLAYBOOK), None)

        return self.until(found, what=f"a repair by {PLAYBOOK}")

    def over(self, repair: str) -> Remediation:
        """A repair once it is over; callers go on asking, for the checks look at what they get."""

        def found() -> Remediation | None:
            present = self._client.remediations.get(repair)
            return present if present.state.is_over else None

        return self.until(found, what="the end of a repair")

    def acted(self, repair: str) -> Remediation:
        """A repair once it acted."""

        def found() -> Remediation | None:
            present = self._client.remediations.get(repair)
            return present if present.acted_at is not None or present.state.is_over else None

        return self.until(found, what="a repair that acts")

    def until(self, look: Callable[[], T | None], *, what: str) -> T:
        """What `look` finds, asked again and again while callers go on. Raises: DrillStuck."""
        ends_at = time.monotonic() + PATIENCE_S
        while (found := look()) is None:
            self._go_on()
            if time.monotonic() > ends_at:
                raise DrillStuck(patience_s=PATIENCE_S, what=what, asked=self.callers.asked, endpoint=self.endpoint)
            self.callers.ask(BURST, pause_s=PAUSE_S)
        return found
