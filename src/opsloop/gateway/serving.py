"""What the routes of the data plane share: admission, the draw of an arm, the exchange with it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import Receive, Scope

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.gateway.arms import Arms
from opsloop.gateway.bodies import CallerGone, body_of, header
from opsloop.gateway.complaints import Complaints
from opsloop.gateway.dialect import Dialect
from opsloop.gateway.errors import Overloaded
from opsloop.gateway.exchange import Exchange
from opsloop.gateway.ledger import Ledger, RecordIds
from opsloop.gateway.outlet import Outlet
from opsloop.gateway.presence import Presence
from opsloop.gateway.routes import Routes
from opsloop.gateway.settings import GatewaySettings
from opsloop.monitoring.recorder import Recorder
from opsloop.monitoring.subjects import Subjects
from opsloop.releases.errors import NothingReleased
from opsloop.releases.routing import choose

SUBJECT_HEADER = b"x-opsloop-subject"


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request on its way through a route."""

    scope: Scope
    receive: Receive
    out: Outlet
    request_id: str


class Serving:
    """The parts of a running gateway that answer."""

    def __init__(self, workspace: Workspace, recorder: Recorder, subjects: Subjects) -> None:
        self.workspace = workspace
        self.settings = workspace.section(GatewaySettings)
        self.arms = Arms(workspace)
        self.routes = Routes(workspace, self.arms, poll_s=self.settings.gateway_routing_poll_s)
        self._recorder = recorder
        self._subjects = subjects
        self._ids = RecordIds(workspace.ids.new("gw"))
        self._complaints = Complaints(workspace.clock)
        self._running = 0

    async def body(self, call: Call) -> bytes:
        return await body_of(
            call.scope,
            call.receive,
            limit=self.workspace.settings.body_limit_bytes,
            timeout_s=self.settings.gateway_body_timeout_s,
        )

    async def serve(self, call: Call, endpoint: str, dialect: Dialect, *, user: str | None, streamed: bool) -> None:
        """Let a release of the endpoint answer the call.

        Args:
            user: whoever the caller names as asking.
        Raises: UnknownEndpoint, NothingReleased, Overloaded, CallerGone, and what a release fails with.
        """
        route = await self.routes.route(endpoint)
        subject = self._subjects.of(who(call.scope, user))
        drawn = choose(route, subject)
        if drawn is None:
            raise NothingReleased(endpoint=endpoint)
        ledger = Ledger(
            self._recorder,
            self._ids,
            self.workspace.clock,
            route,
            self._complaints,
            subject=subject,
            request_id=call.request_id,
            streamed=streamed,
        )
        if self._running >= self.settings.gateway_max_concurrent:
            ledger.shed(drawn)
            raise Overloaded(limit=self.settings.gateway_max_concurrent)
        exchange = Exchange(self.arms, self.settings, ledger, route, drawn, dialect)
        self._running += 1
        try:
            await _exchanged(call, exchange, streamed=streamed)
        finally:
            self._running -= 1


async def _exchanged(call: Call, exchange: Exchange, *, streamed: bool) -> None:
    with Presence(call.receive) as presence:
        try:
            if streamed:
                await exchange.stream(call.out)
            else:
                await call.out.whole(200, await exchange.answer())
        except asyncio.CancelledError:
            exchange.cancelled("CallerGone" if presence.is_gone else "Draining")
            if not presence.is_gone:
                raise
            presence.forgive()
            raise CallerGone() from None


def who(scope: Scope, user: str | None) -> str:
    """Who asks, for the draw of an arm: as the request says, as its header says, the API key, the address.

    The kind stands before the name, so that a user who is called like a key is not the key.
    """
    if user:
        return f"user:{user}"
    named = header(scope, SUBJECT_HEADER)
    if named:
        return f"user:{named}"
    caller = scope.get("opsloop.caller")
    if isinstance(caller, Caller) and caller.name.startswith("key:"):
        return caller.name
    client = scope.get("client")
    return f"address:{client[0]}" if client else "address:unknown"
