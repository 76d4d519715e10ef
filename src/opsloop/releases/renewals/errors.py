"""What can be wrong with a renewal."""

from __future__ import annotations

from opsloop.core.errors import Conflict, NotFound


class RenewalMissing(NotFound):
    template = "no renewal has the id {name!r}; `opsloop renewal list` shows those there are"


class NoPolicy(Conflict):
    template = (
        "endpoint {endpoint} has no renewal policy, so nothing says which pipeline renews its model; "
        "give its release one as `renewal: {{pipeline: NAME}}`"
    )


class RenewalGoesOn(Conflict):
    template = "endpoint {endpoint} is being renewed already, by {renewal} ({state}); wait for its end"


class RenewalIsOver(Conflict):
    template = "renewal {renewal} is {state} already ({said}); nothing was changed"


class NothingToApprove(Conflict):
    template = "renewal {renewal} is {state}; only one that waits for a yes can be approved"
