"""Endpoints and their releases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.improvement.samples.models import Scoring
from opsloop.releases.diff_models import HistoryEntry, ReleaseDiff
from opsloop.releases.models import Endpoint, EndpointState, Recall, Release, Released, Rollout


class Endpoints:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, name: str) -> Endpoint:
        return self._connection.post("/api/endpoints", Endpoint, body={"name": name})

    def listed(self) -> list[EndpointState]:
        return self._connection.items("/api/endpoints", EndpointState)

    def get(self, name: str) -> EndpointState:
        return self._connection.get(path("api", "endpoints", name), EndpointState)

    def keep_texts(self, name: str, wanted: object) -> Endpoint:
        """Say whether questions and answers are kept: `{"days": 30}`, true, or None for nothing."""
        at = path("api", "endpoints", name, "keep-texts")
        return self._connection.put(at, Endpoint, body={"keep_texts": wanted})

    def set_environment(self, name: str, environment: str | None) -> Endpoint:
        """Say which environment it is of: `production`, `staging`, `test`, `development`; None: the platform's."""
        at = path("api", "endpoints", name, "environment")
        return self._connection.put(at, Endpoint, body={"environment": environment})

    def scoring(self, name: str) -> Scoring:
        """Which evaluators score live answers, and how many. Raises: NotFound."""
        return self._connection.get(path("api", "endpoints", name, "scoring"), Scoring)

    def score(self, name: str, wanted: Mapping[str, Any]) -> Scoring:
        """Score live answers: `{"share": 0.1, "evaluators": {"leaks": {"evaluator": "pii_leak"}}}`."""
        return self._connection.put(path("api", "endpoints", name, "scoring"), Scoring, body=dict(wanted))

    def score_no_more(self, name: str) -> None:
        self._connection.delete(path("api", "endpoints", name, "scoring"))

    def release(
        self,
        name: str,
        *,
        flow: str | None = None,
        model: str | None = None,
        config: dict[str, Any] | None = None,
        evaluation: str | None = None,
        strategy: dict[str, Any] | str | None = None,
    ) -> Released:
        """Bring a version of a flow, such as `answer@2`, or of a model, such as `iris@3`, to an endpoint's traffic.

        Raises: a ServerProblem of kind `no` when the evaluation's gate does not allow it.
        """
        wanted: dict[str, Any] = {"config": config or {}, "evaluation": evaluation}
        wanted |= {kind: version for kind, version in (("flow", flow), ("model", model)) if version is not None}
        if strategy is not None:
            wanted["strategy"] = strategy
        return self._connection.post(path("api", "endpoints", name, "releases"), Released, body=wanted)

    def releases(self, name: str) -> list[Release]:
        return self._connection.items(path("api", "endpoints", name, "releases"), Release)

    def serving(self, version: str) -> list[Release]:
        """Releases of every endpoint that serve a version such as `iris@3`, newest first."""
        return self._connection.items("/api/releases", Release, serves=version)

    def rollouts(self, name: str) -> list[Rollout]:
        """All rollouts of an endpoint, newest first."""
        return self._connection.items(path("api", "endpoints", name, "rollouts"), Rollout)

    def diff(self, name: str, before: int, after: int) -> ReleaseDiff:
        """What two releases of an endpoint differ in, by their numbers."""
        return self._connection.get(path("api", "endpoints", name, "releases", f"{before}..{after}"), ReleaseDiff)

    def history(self, name: str, *, limit: int = 200) -> list[HistoryEntry]:
        """What happened in all rollouts of an endpoint, the newest first."""
        return self._connection.items(path("api", "endpoints", name, "history"), HistoryEntry, limit=limit)

    def recall(self, release: str, *, reason: str) -> Recall:
        """Take what a release serves out of every endpoint, and let none serve it again."""
        return self._connection.post(path("api", "releases", release, "recall"), Recall, body={"reason": reason})

    def reinstate(self, name: str, *, release: int, reason: str) -> EndpointState:
        """Let a release serve everybody again that did before and was left."""
        body = {"release": release, "reason": reason}
        return self._connection.post(path("api", "endpoints", name, "reinstate"), EndpointState, body=body)

    def roll_back(self, name: str) -> EndpointState:
        """Take a running rollout back, or the endpoint to the release before."""
        return self._connection.post(path("api", "endpoints", name, "rollback"), EndpointState)
