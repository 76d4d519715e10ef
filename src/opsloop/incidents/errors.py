"""What can be wrong with what is asked of an incident."""

from __future__ import annotations

from opsloop.core.errors import Conflict, Unauthenticated


class IncidentIsClosed(Conflict):
    template = "incident {incident} is closed as {closed_as}; a new one is opened when its signals come back"


class HookNotSigned(Unauthenticated):
    template = (
        "POST /webhooks/{source}: the signature or token is missing or wrong; the sender and the setting {setting} "
        "must have the same secret"
    )
