"""What can be wrong with an alarm."""

from __future__ import annotations

from opsloop.core.errors import Conflict, NotFound


class AlarmIsClosed(Conflict):
    template = "alarm {alarm} was closed already, by {by}: {reason}"


class NoAlarm(NotFound):
    template = "endpoint {endpoint} has no open alarm{of}; see `opsloop monitor drift {endpoint}`"
