"""Renewals: from what set them off to a better model, or to the reason why there is none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.client.waiting import changes, looks
from opsloop.releases.renewals.models import Renewal, RenewalHistory

POLL_S = 0.5


class Renewals:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def listed(self, *, endpoint: str | None = None) -> list[Renewal]:
        """The newest first."""
        return self._connection.items("/api/renewals", Renewal, endpoint=endpoint)

    def get(self, renewal: str) -> RenewalHistory:
        return self._connection.get(path("api", "renewals", renewal), RenewalHistory)

    def start(
        self,
        endpoint: str,
        *,
        reason: str = "",
        model: str | None = None,
        config: dict[str, Any] | None = None,
        policy: dict[str, Any] | None = None,
    ) -> Renewal:
        """Renew what an endpoint serves.

        Args:
            model: a version to try in place of a new one.
            config: of the release; default: that of the one that serves.
            policy: where the config has none.
        """
        body = {"reason": reason, "model": model, "config": config, "policy": policy}
        return self._connection.post(path("api", "endpoints", endpoint, "renewals"), Renewal, body=body)

    def approve(self, renewal: str) -> Renewal:
        """Let a challenger that passed its gate go to traffic."""
        return self._connection.post(path("api", "renewals", renewal, "approve"), Renewal)

    def reject(self, renewal: str, *, reason: str) -> Renewal:
        return self._connection.post(path("api", "renewals", renewal, "reject"), Renewal, body={"reason": reason})

    def watch(
        self, renewal: str, *, timeout_s: float | None = None, pause: Callable[[float], None] = time.sleep
    ) -> Iterator[RenewalHistory]:
        """The renewal each time something about it changed, until it is over or the time is."""

        def is_over(history: RenewalHistory) -> bool:
            return history.renewal.state.is_over

        return changes(looks(lambda: self.get(renewal), is_over, timeout_s=timeout_s, every_s=POLL_S, pause=pause))
