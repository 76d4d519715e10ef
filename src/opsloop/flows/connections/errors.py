"""What can be wrong with a connection."""

from __future__ import annotations

from opsloop.core.errors import InvalidInput, NotFound


class ConnectionInvalid(InvalidInput):
    """A connection is described wrongly; the sentence names the field and never shows a secret."""


class ConnectionMissing(NotFound):
    template = (
        "no connection {name!r}{near}; `opsloop connection create --file FILE` keeps one, "
        "or write it into connections.yaml"
    )
