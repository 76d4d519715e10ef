"""What the routes of the data plane share: admission, the draw of an arm, the exchange with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from starlette.types import Scope

from opsloop.core.caller import Caller
from opsloop.core.errors import OpsloopError
from opsloop.core.workspace import Workspace
from opsloop.gateway.arms import Arms
from opsloop.gateway.bodies import CallerGone, body_of, header
from opsloop.gateway.calls import Call
from opsloop.gateway.complaints import Complaints
from opsloop.gateway.desk import Desks
from opsloop.gateway.dialect import Dialect
from opsloop.gateway.exchange import Exchange
from opsloop.gateway.flow_copying import FlowCopying
from opsloop.gateway.hedgers import Hedgers
from opsloop.gateway.ledger import Ledger, RecordIds
from opsloop.gateway.memory import Memory, Remembering
from opsloop.gateway.places import Places
from opsloop.gateway.predicting.copying import Copying
from opsloop.gateway.predicting.exchange import ModelDialect, ModelExchange
from opsloop.gateway.predicting.keeping import Keeping
from opsloop.gateway.presence import Presence
from opsloop.gateway.routes import Routes
from opsloop.gateway.settings import GatewaySettings
from opsloop.gateway.shadowing import Copies
from opsloop.gateway.shortcut import Shortcut
from opsloop.limits.account import Account
from opsloop.limits.admission import admitted, key_of
from opsloop.limits.pool import Pool
from opsloop.llm.tabs import opened
from opsloop.llm.token_estimates import BYTES_PER_TOKEN
from opsloop.monitoring import metrics
from opsloop.monitoring.beside import Beside
from opsloop.monitoring.recorder import Recorder
from opsloop.monitoring.subjects import Subjects
from opsloop.releases import cache_policy
from opsloop.releases.routing import Arm, Route, choose

CACHE_HEADER = b"x-opsloop-cache"
SUBJECT_HEADER = b"x-opsloop-subject"


@dataclass(frozen=True, slots=True)
class _Drawn:
    route: Route
    arm: Arm
    ledger: Ledger
    subject: str


class Serving:
    """The parts of a running gateway that answer."""

    def __init__(self, workspace: Workspace, recorder: Recorder, subjects: Subjects, keeping: Keeping) -> None:
        self.keeping = keeping
        self.workspace = workspace
        self.settings = workspace.section(GatewaySettings)
        self.arms = Arms(workspace)
        self.memory = Memory(workspace, self.settings.gateway_cache_bytes)
        self.routes = Routes(
            workspace,
            self.arms,
            poll_s=self.settings.gateway_routing_poll_s,
            when_routed=self.memory.forget_all_but,
        )
        self._recorder = recorder
        self._subjects = subjects
        self._ids = RecordIds(workspace.ids.new("gw"))
        self.others = Beside(recorder, workspace.clock, self._ids.new)
        self._complaints = Complaints(workspace.clock)
        self.desk = Desks(workspace)
        self.limits = Pool(workspace)
        self._hedgers = Hedgers(workspace.clock)
        self._places = Places(self.settings.gateway_max_concurrent, workspace.clock)
        self.copies = Copies(recorder, self._ids, workspace.clock)
        self._flow_copying = FlowCopying(self.copies, self.arms)
        self._copying = Copying(self.copies, self.arms, keeping)

    def shortcut(self) -> Shortcut:
        """The way past all of this for requests that a model answers at once."""
        return Shortcut(
            self.routes,
            self.arms,
            self._recorder,
            self._ids,
            self._subjects.of,
            self.keeping,
            self.workspace.clock,
            self.workspace.ids.new,
            self._copying,
            self.limits,
        )

    async def body(self, call: Call) -> bytes:
        return await body_of(
            call.scope,
            call.receive,
            limit=self.workspace.settings.body_limit_bytes,
            timeout_s=self.settings.gateway_body_timeout_s,
        )

    async def serve(
        self, call: Call, endpoint: str, dialect: Dialect, *, user: str | None, streamed: bool, asked_bytes: int = 0
    ) -> None:
        """Let a flow that the endpoint serves answer the call.

        Args:
            user: whoever the caller names as asking.
            asked_bytes: size of what is asked.
        Raises: UnknownEndpoint, NothingReleased, Overloaded, RateReached, QuotaSpent, CallerGone, and what a release
            fails with.
        """
        subject = self._subjects.of(who(call.scope, user))
        drawn = await self._drawn(call, endpoint, subject=subject, streamed=streamed)
        desk = self.desk.of(call.request_id)
        async with self._admitted(call, drawn, tokens=-(-asked_bytes // BYTES_PER_TOKEN)) as account:
            exchange = Exchange(
                self.arms,
                self.settings,
                drawn.ledger,
                drawn.route,
                drawn.arm,
                dialect,
                desk,
                hedgers=self._hedgers,
                used=_used_of(account),
                remembering=self._remembering(call, drawn.route),
                told_outcome=partial(_tell_outcome, call, drawn.route.endpoint),
            )
            await self._run(call, exchange.stream(call.out) if streamed else _whole(call, exchange), exchange)
        if exchange.answered is not None:
            self._flow_copying.offer(
                drawn.route, exchange.answered, dialect, request_id=call.request_id, subject=drawn.subject
            )

    def _remembering(self, call: Call, route: Route) -> Remembering | None:
        """What the call may find and leave in memory; None where no release of the route keeps anything."""
        if not any(arm is not None and cache_policy.KEY in arm.config for arm in (route.stable, route.candidate)):
            return None
        wishes = (header(call.scope, b"cache-control") or "").lower()
        return Remembering(
            self.memory,
            route.endpoint,
            _caller_of(call.scope),
            is_fresh="no-cache" in wishes or "no-store" in wishes,
            is_kept="no-store" not in wishes,
        )

    async def predict(self, call: Call, endpoint: str, dialect: ModelDialect, *, user: str | None) -> None:
        """Let a model that the endpoint serves answer the call. Raises: as `serve`.

        Where nobody is named, each request is a subject of its own: a model keeps nothing from one to the next, and one
        program sends the rows of many people.
        """
        named = user_named(call.scope, user)
        subject = self._subjects.of(named) if named else call.request_id
        drawn = await self._drawn(call, endpoint, subject=subject, streamed=False)
        exchange = ModelExchange(self.arms, self.settings, drawn.ledger, drawn.route, drawn.arm, dialect, self.keeping)
        async with self._admitted(call, drawn, tokens=0):
            await self._run(call, _whole(call, exchange), exchange)
        if exchange.answered is not None:
            self._copying.offer(
                drawn.route,
                exchange.answered.predicted,
                dialect.table,
                request_id=call.request_id,
                subject=drawn.subject,
            )

    @asynccontextmanager
    async def beside(self, call: Call, *, tokens: int) -> AsyncIterator[Account | None]:
        """While a call is answered that no endpoint answers. Raises: Overloaded, RateReached, QuotaSpent."""
        caller, key = _caller_of(call.scope), key_of(call.scope.get("opsloop.caller"))
        self._places.check(caller)
        self._places.take(caller)
        try:
            async with admitted(self.limits, key, None, tokens=tokens) as account:
                if account is not None:
                    call.out.more = account.headers()
                with self.others.counted(call.scope["path"], request_id=call.request_id, key=key):
                    yield account
        finally:
            self._places.leave(caller)

    async def _drawn(self, call: Call, endpoint: str, *, subject: str, streamed: bool) -> _Drawn:
        """The arm for whoever asks, if there is room for another request."""
        route = await self.routes.route(endpoint)
        drawn = choose(route, subject)
        ledger = Ledger(
            self._recorder,
            self._ids,
            self.workspace.clock,
            route,
            self._complaints,
            subject=subject,
            request_id=call.request_id,
            streamed=streamed,
            key=key_of(call.scope.get("opsloop.caller")),
        )
        try:
            self._places.check(_caller_of(call.scope))
        except OpsloopError as error:
            ledger.shed(drawn, error)
            raise
        return _Drawn(route, drawn, ledger, subject)

    @asynccontextmanager
    async def _admitted(self, call: Call, drawn: _Drawn, *, tokens: int) -> AsyncIterator[Account | None]:
        """While a call whose key and endpoint may use as much is answered. Raises: RateReached, QuotaSpent."""
        async with AsyncExitStack() as stack:
            key = key_of(call.scope.get("opsloop.caller"))
            try:
                account = await stack.enter_async_context(
                    admitted(self.limits, key, drawn.route.endpoint, tokens=tokens)
                )
            except OpsloopError as error:
                drawn.ledger.shed(drawn.arm, error)
                call.out.more = Account(self.limits, self.limits.of(key, drawn.route.endpoint)).headers()
                raise
            if account is not None:
                call.out.more = account.headers()
            stack.enter_context(opened(drawn.ledger.tab))
            yield account

    async def _run(self, call: Call, work: Awaitable[None], exchange: Exchange | ModelExchange) -> None:
        caller = _caller_of(call.scope)
        self._places.take(caller)
        try:
            with Presence(call.receive) as presence:
                try:
                    await work
                except asyncio.CancelledError:
                    exchange.cancelled("CallerGone" if presence.is_gone else "Draining")
                    if not presence.is_gone:
                        raise
                    presence.forgive()
                    raise CallerGone() from None
        finally:
            self._places.leave(caller)


async def _whole(call: Call, exchange: Exchange | ModelExchange) -> None:
    await call.out.whole(200, await exchange.answer())


def _tell_outcome(call: Call, endpoint: str, outcome: str) -> None:
    """Say in the answer whether it was kept; the last word counts, of the arm that answers."""
    metrics.cache_answers.labels(endpoint, outcome).inc()
    others = [each for each in call.out.more if each[0] != CACHE_HEADER]
    call.out.more = [*others, (CACHE_HEADER, outcome.encode())]


def _used_of(account: Account | None) -> Callable[[int], None] | None:
    return None if account is None else account.used


def _caller_of(scope: Scope) -> str:
    """Whose places are counted together: those of a key, of an address."""
    caller = scope.get("opsloop.caller")
    if isinstance(caller, Caller) and caller.name.startswith("key:"):
        return caller.name
    client = scope.get("client")
    return f"address:{client[0]}" if client else "address:unknown"


def who(scope: Scope, user: str | None) -> str:
    """Who asks, for the draw of an arm: as the request says, as its header says, the API key, the address.

    The kind stands before the name, so that a user who is called like a key is not the key.
    """
    if named := user_named(scope, user):
        return named
    return _caller_of(scope)


def user_named(scope: Scope, user: str | None) -> str | None:
    """Whoever the request says asks, in its body or by its header."""
    named = user or header(scope, SUBJECT_HEADER)
    return f"user:{named}" if named else None
