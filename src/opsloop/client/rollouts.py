"""Rollouts: the way from one release to the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from opsloop.client.connection import Connection, path
from opsloop.client.waiting import changes, looks
from opsloop.releases.experiments.models import ExperimentReport
from opsloop.releases.models import Approval, Rollout, RolloutHistory

POLL_S = 0.5


class Rollouts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, rollout: str) -> RolloutHistory:
        return self._connection.get(path("api", "rollouts", rollout), RolloutHistory)

    def promote(self, rollout: str) -> Rollout:
        return self._act(rollout, "promote")

    def pause(self, rollout: str) -> Rollout:
        return self._act(rollout, "pause")

    def resume(self, rollout: str) -> Rollout:
        return self._act(rollout, "resume")

    def roll_back(self, rollout: str) -> Rollout:
        return self._act(rollout, "rollback")

    def abort(self, rollout: str) -> Rollout:
        """Give a rollout up without a judgement on its candidate."""
        return self._act(rollout, "abort")

    def approvals(self) -> list[Approval]:
        """What rollouts wait for a person to say, the oldest question first."""
        return self._connection.items("/api/approvals", Approval)

    def approve(self, rollout: str, *, digest: str, reason: str = "") -> Rollout:
        """Say yes to what has this digest."""
        body = {"digest": digest, "reason": reason}
        return self._connection.post(path("api", "rollouts", rollout, "approve"), Rollout, body=body)

    def reject(self, rollout: str, *, digest: str, reason: str) -> Rollout:
        """Say no: the candidate is taken back."""
        body = {"digest": digest, "reason": reason}
        return self._connection.post(path("api", "rollouts", rollout, "reject"), Rollout, body=body)

    def override(self, rollout: str, *, reason: str) -> Rollout:
        """Let a rollout go on in freezes and outside its windows."""
        return self._connection.post(path("api", "rollouts", rollout, "override"), Rollout, body={"reason": reason})

    def report(self, rollout: str) -> ExperimentReport:
        """An A/B test so far, or its result."""
        return self._connection.get(path("api", "rollouts", rollout, "report"), ExperimentReport)

    def report_html(self, rollout: str) -> str:
        """The same as one HTML file."""
        return self._connection.raw(path("api", "rollouts", rollout, "report"), format="html").decode()

    def watch(
        self, rollout: str, *, timeout_s: float | None = None, pause: Callable[[float], None] = time.sleep
    ) -> Iterator[RolloutHistory]:
        """The rollout each time something about it changed, until it is over or the time is."""

        def is_over(history: RolloutHistory) -> bool:
            return history.rollout.status.is_over

        return changes(looks(lambda: self.get(rollout), is_over, timeout_s=timeout_s, every_s=POLL_S, pause=pause))

    def _act(self, rollout: str, verb: str) -> Rollout:
        return self._connection.post(path("api", "rollouts", rollout, verb), Rollout)
