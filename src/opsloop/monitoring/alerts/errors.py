"""What can be wrong with an alert."""

from __future__ import annotations

from opsloop.core.errors import Conflict, NotFound


class AlertIsOver(Conflict):
    template = "alert {alert} is resolved already, since {since}"


class NoChannel(NotFound):
    template = "no channel named {name!r}; `opsloop alert channels` lists them"
