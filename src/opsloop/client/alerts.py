"""Alerts, their rules, channels and silences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from opsloop.client.connection import Connection, path
from opsloop.core.notices.models import Delivery
from opsloop.monitoring.alerts.models import Alert, Declared, Silence


@dataclass(frozen=True, slots=True)
class ChannelShown:
    """A channel without what is secret of it; `digest` is over all that was declared."""

    name: str
    form: str
    to: str
    severities: tuple[str, ...]
    rules: tuple[str, ...]
    endpoints: tuple[str, ...]
    digest: str


class Alerts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def listed(self, *, endpoint: str | None = None, state: str | None = None, limit: int = 100) -> list[Alert]:
        """The newest first."""
        return self._connection.items("/api/alerts", Alert, endpoint=endpoint, state=state, limit=limit)

    def get(self, alert: str) -> Alert:
        return self._connection.get(path("api", "alerts", alert), Alert)

    def acknowledge(self, alert: str) -> Alert:
        return self._connection.post(path("api", "alerts", alert, "acknowledge"), Alert)

    def silence(self, matchers: Mapping[str, str], *, lasts_s: float, reason: str) -> Silence:
        body = {"matchers": dict(matchers), "lasts_s": lasts_s, "reason": reason}
        return self._connection.post("/api/alerts/silences", Silence, body=body)

    def silences(self) -> list[Silence]:
        """Those that hold now."""
        return self._connection.items("/api/alerts/silences", Silence)

    def rules(self) -> list[Declared]:
        return self._connection.items("/api/alerts/rules", Declared)

    def declare_rule(self, name: str, rule: Mapping[str, Any] | Literal[False]) -> Declared:
        return self._connection.put(path("api", "alerts", "rules", name), Declared, body=rule)

    def channels(self) -> list[ChannelShown]:
        return self._connection.items("/api/alerts/channels", ChannelShown)

    def declare_channel(self, name: str, channel: Mapping[str, Any]) -> None:
        self._connection.put(path("api", "alerts", "channels", name), dict[str, str], body=dict(channel))

    def test(self, channel: str) -> Delivery:
        """Send a channel an alert that says it is a test."""
        return self._connection.post(path("api", "alerts", "channels", channel, "test"), Delivery)

    def delivery(self, delivery: str) -> Delivery:
        """What became of a message."""
        return self._connection.get(path("api", "notices", delivery), Delivery)
