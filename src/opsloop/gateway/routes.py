"""The routing table in memory: it follows the database, and moves traffic only to what is loaded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Iterator

from starlette.concurrency import run_in_threadpool

from opsloop.core.caller import system
from opsloop.core.telemetry.trouble import Trouble
from opsloop.core.workspace import Workspace
from opsloop.gateway.arms import Arms, key_of
from opsloop.gateway.errors import NoModelEndpoint, UnknownEndpoint
from opsloop.monitoring import metrics
from opsloop.releases.errors import NothingReleased
from opsloop.releases.routing import BELL, Arm, Route, RoutingTable, routing_table, routing_version

# How long a first request waits for the release of its endpoint to be loaded, and how often it looks.
LOAD_TIMEOUT_S = 30.0
LOOK_EVERY_S = 0.01


class Routes:
    """Follows the routing table by the bell of this process and by looking at the version at intervals.

    While the database is away the last table stays in use. `when_routed` hears which releases are named whenever that
    may have changed.
    """

    def __init__(
        self,
        workspace: Workspace,
        arms: Arms,
        *,
        poll_s: float,
        when_routed: Callable[[Collection[str]], None] = lambda releases: None,
    ) -> None:
        self._when_routed = when_routed
        self._workspace = workspace
        self._arms = arms
        self._poll_s = poll_s
        self.table = RoutingTable(0, {}, None)
        self._wanted = self.table
        self._settled = True
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._looks = 0
        self._looking = asyncio.Lock()

    def start(self) -> None:
        """Load what is served now, then follow. Raises: what reading the database raises."""
        self.refresh()
        bell = self._workspace.bell(BELL)
        deadline_s = self._workspace.clock.monotonic_s() + LOAD_TIMEOUT_S
        while not self._settled and self._workspace.clock.monotonic_s() < deadline_s:
            bell.wait(timeout_s=self._poll_s)
            self.refresh()
        self._thread = threading.Thread(target=self._follow, name="routes", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._workspace.bell(BELL).ring()
        if self._thread is not None:
            self._thread.join()

    def refresh(self) -> None:
        """Follow the database once."""
        with self._lock:
            with self._workspace.reading(system("gateway")) as uow:
                if routing_version(uow) != self._wanted.version:
                    self._wanted = routing_table(uow)
                    self._settled = False
            if not self._settled or self._arms.has_unusable:
                self._apply()

    @property
    def is_settled(self) -> bool:
        """Whether everything that is to serve is loaded, or cannot be."""
        return self._settled

    @property
    def default_model(self) -> str | None:
        """The endpoint that was made first among those that serve a model."""
        named = (name for name, route in self._wanted.routes.items() if _serves_model(route))
        return next(named, None)

    async def look_for_default_model(self) -> str:
        """The same, also when it was made a moment ago. Raises: NoModelEndpoint."""
        if self.default_model is None:
            await run_in_threadpool(self.refresh)
        if (found := self.default_model) is None:
            raise NoModelEndpoint()
        return found

    async def route(self, name: str) -> Route:
        """The route of an endpoint that serves something. Raises: UnknownEndpoint, NothingReleased."""
        route = self.table.routes.get(name)
        if route is None or not _arms_of(route):
            route = await self._look_for(name)
        return route

    async def _look_for(self, name: str) -> Route:
        """What was created a moment ago may not have reached this table yet: look once, and wait while it is loaded."""
        looks = self._looks
        async with self._looking:
            # Of two looks that ended while this one waited for the lock, the second began after the request came.
            if self._looks < looks + 2:
                await run_in_threadpool(self.refresh)
                self._looks += 1
        try:
            async with asyncio.timeout(LOAD_TIMEOUT_S):
                while self._is_being_loaded(name):
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            raise NothingReleased(endpoint=name) from None
        route = self.table.routes.get(name)
        if route is None:
            raise UnknownEndpoint(name=name)
        if not _arms_of(route):
            raise NothingReleased(endpoint=name)
        return route

    def _is_being_loaded(self, name: str) -> bool:
        wanted, present = self._wanted.routes.get(name), self.table.routes.get(name)
        has_arms = present is not None and bool(_arms_of(present))
        return not self._settled and wanted is not None and bool(_arms_of(wanted)) and not has_arms

    def _apply(self) -> None:
        """Put the wanted routes to use whose arms are loaded; the others stay as they were until theirs are.

        A route that takes an arm away needs nothing loaded, so a roll-back never waits.
        """
        routes: dict[str, Route] = {}
        settled = True
        for name, route in self._wanted.routes.items():
            are_settled = [self._arms.prepare(arm, name) for arm in _arms_of(route)]
            if all(are_settled):
                routes[name] = route
            else:
                settled = False
                if name in self.table.routes:
                    routes[name] = self.table.routes[name]
        version = self._wanted.version if settled else self.table.version
        self.table = RoutingTable(version, routes, self._wanted.default)
        self._settled = settled
        self._when_routed({arm.release for arm in self._named(routes)})
        self._arms.forget_all_but({key_of(arm) for arm in self._named(routes)})
        metrics.routing_version.set(version)

    def _named(self, routes: dict[str, Route]) -> Iterator[Arm]:
        for route in (*routes.values(), *self._wanted.routes.values()):
            yield from _arms_of(route)

    def _follow(self) -> None:
        bell = self._workspace.bell(BELL)
        trouble = Trouble("routing_not_followed")  # the table that is there goes on
        while not self._stopping.is_set():
            bell.wait(timeout_s=self._poll_s)
            with trouble.told():
                self.refresh()


def _serves_model(route: Route) -> bool:
    return any(arm.kind == "model" for arm in _arms_of(route))


def _arms_of(route: Route) -> list[Arm]:
    return [arm for arm in (route.stable, route.candidate) if arm is not None]
