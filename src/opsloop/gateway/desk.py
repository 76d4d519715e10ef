"""Hand a conversation over to a person: the case is in the database before the caller hears of its ticket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.concurrency import run_in_threadpool

from opsloop.core.caller import system
from opsloop.core.workspace import Workspace
from opsloop.guardrails.policy import Policy
from opsloop.guardrails.support import service as support
from opsloop.guardrails.support.models import Said, Ticket
from opsloop.releases.routing import Route

BY = system("gateway")


@dataclass(frozen=True, slots=True)
class Desks:
    workspace: Workspace

    def of(self, request_id: str) -> Desk:
        return Desk(self.workspace, request_id)


@dataclass(frozen=True, slots=True)
class Desk:
    """Of one request."""

    workspace: Workspace
    request_id: str

    def now(self) -> datetime:
        return self.workspace.clock.now()

    async def open(
        self,
        route: Route,
        policy: Policy,
        conversation: Sequence[Said],
        *,
        kinds: Sequence[str],
        said: str,
        release: str,
    ) -> Ticket:
        """Open a case; raises what the database raises when it is away: nobody would see the case.

        Args:
            said: what the flow said before it asked for a person.
        """
        told = [*conversation, *([Said("assistant", said)] if said else [])]
        return await run_in_threadpool(self._open, route, policy, told, kinds, release)

    def _open(self, route: Route, policy: Policy, told: Sequence[Said], kinds: Sequence[str], release: str) -> Ticket:
        kept = support.keepable(told, policy)
        with self.workspace.writing(BY) as uow:
            return support.open_case(uow, route.endpoint, self.request_id, kept, kinds=kinds, release=release)
