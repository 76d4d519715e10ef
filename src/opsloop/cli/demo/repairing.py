"""The last part of the demo: what the platform says of what went wrong, and a repair that waits for a yes.

The incident of the candidate that was taken back is told and closed. Then the first turn of the project's drill breaks
its other endpoint, up to the repair that is proposed. That one is left to whoever looks at the console.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from opsloop.cli import story
from opsloop.cli.drill import telling
from opsloop.cli.drill.trouble import Trouble, WrongModel
from opsloop.cli.drill.wanted import DrillWanted
from opsloop.client.http import Client
from opsloop.incidents.models import Incident, IncidentState
from opsloop.releases.models import Rollout, RolloutStatus
from opsloop.remediation.models import Remediation, State

WAITED_S, PAUSE_S = 60.0, 0.2
# Requests a second while a repair waits, and while it is checked.
SLOWLY, BRISKLY = 1, 10
LAPSED_S = 5.0


class Repairing:
    def __init__(self, client: Client, wanted: DrillWanted, url: str, go_on: Callable[[], None]) -> None:
        self._client = client
        self._wanted = wanted
        self._url = url
        self._go_on = go_on
        self._trouble = Trouble(client, url, wanted, go_on)
        self._repair: Remediation | None = None
        # The wrong model is trained in a process of its own, so the rest of the demo need not wait for it.
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="demo")
        self._learned = self._beside.submit(self._trouble.learn)

    def turn(self, rollout: Rollout | None) -> None:
        """Args: rollout: the last one of the demo."""
        wrong = self._learned.result()
        if rollout is not None and rollout.status is RolloutStatus.ROLLED_BACK:
            self._explained(rollout)
        story.scene(f"A model is released: {self._wanted.says}")
        telling.learned(wrong)
        if not self._is_broken(wrong):
            return
        incident = self._trouble.incident()
        telling.incident(incident, self._url)
        self._repair = self._trouble.repair(incident.id)
        telling.repair(self._repair, self._url)
        if self._repair.state.is_over:
            telling.ended(self._repair)
        elif self._repair.stands(datetime.now(UTC)) == "lapsed":
            story.step("", "its question lapsed; there it can be asked again")
        else:
            story.step("", "it waits for your yes there; callers go on asking, so that you see whether it helps")

    def keep_asking(self) -> None:
        """Let callers go on until the repair is over: without them nobody could tell whether it helped."""
        while self._repair is not None and not self._repair.state.is_over:
            self._go_on()
            stands = self._repair.stands(datetime.now(UTC))
            if stands == "lapsed":
                time.sleep(LAPSED_S)
            else:
                a_second = BRISKLY if self._repair.state is State.CHECKING else SLOWLY
                self._trouble.callers.ask(a_second, pause_s=1.0 / a_second)
            self._repair = self._client.remediations.get(self._repair.id)
            if self._repair.state.is_over:
                telling.ended(self._repair)

    def close(self) -> None:
        self._beside.shutdown(wait=False, cancel_futures=True)
        self._trouble.callers.close()

    def _explained(self, rollout: Rollout) -> None:
        """The incident of a candidate that was taken back, closed as that: the demo knows what it was."""
        found = self._incident_of(rollout)
        if found is None:
            return
        if found.state is not IncidentState.CLOSED:
            cause = f"endpoint/{rollout.endpoint}, release {rollout.number}"
            found = self._client.incidents.close(found.id, closed_as="cause", cause=cause)
        telling.incident(found, self._url)

    def _incident_of(self, rollout: Rollout) -> Incident | None:
        """Once it names suspects; None when it has none in time."""
        ends_at = time.monotonic() + WAITED_S
        while time.monotonic() < ends_at:
            listed = self._client.incidents.listed(endpoint=rollout.endpoint)
            if (found := next((each for each in listed if each.suspects), None)) is not None:
                return found
            self._go_on()
            time.sleep(PAUSE_S)
        return None

    def _is_broken(self, wrong: WrongModel) -> bool:
        """Release the wrong model, unless an earlier start did; whether there is, or will be, an incident."""
        endpoint = self._trouble.endpoint
        if not any(each.serves == wrong.model for each in self._client.endpoints.releases(endpoint)):
            telling.released(self._trouble.release(wrong), endpoint)
            return True
        stable = self._trouble.stable()
        story.step("release", f"done before; {endpoint} serves release {stable.number} ({stable.serves}) now")
        return stable.serves == wrong.model or bool(self._client.incidents.listed(endpoint=endpoint))
