"""Change what an endpoint keeps of questions and answers."""

from __future__ import annotations

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.texts import service as texts
from opsloop.releases import rollouts, routing
from opsloop.releases.kept_texts import KeepTexts, stored


def declare(uow: UnitOfWork, endpoint: str, wanted: KeepTexts | None) -> KeepTexts | None:
    """Say what an endpoint keeps from now on; texts that are kept go as early as the new days say. Raises: NotFound.

    With None those that are kept already go at once.
    """
    uow.by.require(Role.OPERATOR)
    row = rollouts.lock_endpoint(uow, endpoint)
    declared = stored(wanted)
    if row.keep_texts == declared:
        return wanted
    row.keep_texts = declared
    texts.shorten(uow, endpoint, wanted.days if wanted is not None else 0)
    routing.bump(uow)
    uow.audit("endpoint.keep_texts", f"endpoint/{endpoint}", keep_texts=declared)
    return wanted
