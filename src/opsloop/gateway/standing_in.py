"""Who answers when the arm that was drawn fails."""

from __future__ import annotations

from opsloop.core.errors import Kind, OpsloopError
from opsloop.gateway.ledger import Ledger
from opsloop.releases.routing import Arm, Route


def stand_in(route: Route, drawn: Arm, ledger: Ledger, error: Exception) -> Arm:
    """The arm that answers for the one that failed; raises the failure itself when there is none."""
    if isinstance(error, OpsloopError) and error.kind is Kind.LIMITED:
        raise error  # the caller has used what it may, whoever answers
    if drawn.name != "candidate" or not route.shield or route.stable is None:
        raise error
    ledger.shield(drawn, error)
    return route.stable
