"""A served platform and a real Chromium; other origins are cut off, an error in the browser fails the test."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from opsloop.core.clock import FakeClock
from opsloop.gateway.app import Gateway
from opsloop.server.control_plane import control_plane
from opsloop.server.entrance import Entrance
from tests.integration.console.conftest import Platform, filled_once

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Site:
    """A platform behind an address; its clock stands still until a test moves it."""

    url: str
    platform: Platform
    control_plane: Any


class Served:
    """A platform on a port of its own, in a thread; the gateway answers, no job runs."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.control_plane = control_plane(platform.workspace)
        self._gateway = Gateway(platform.workspace)
        app = Entrance(platform.workspace, self._gateway, self.control_plane)
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=5))
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> Site:
        self._thread.start()
        assert self._ready.wait(60)
        return Site(f"http://127.0.0.1:{self._listener.getsockname()[1]}", self.platform, self.control_plane)

    def __exit__(self, *_: object) -> None:
        self.platform.workspace.stopping.set()
        self._server.should_exit = True
        self._thread.join(60)
        self._listener.close()

    async def _serve(self) -> None:
        await self._gateway.start()
        self._ready.set()
        await self._server.serve(sockets=[self._listener])
        await self._gateway.drain(1.0)


@pytest.fixture(scope="module")
def begun() -> datetime:
    """When the clocks of a module's platforms begin: lately, for browsers have a clock of their own."""
    return datetime.now(UTC) - timedelta(seconds=60)


@pytest.fixture
def site(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, begun: datetime
) -> Iterator[Site]:
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's driver keeps an event loop in this thread
        kept = elsewhere.submit(filled_once, tmp_path_factory, migrated_sqlite, begun).result()
    with kept.copied(tmp_path / "filled", FakeClock(begun)) as platform, Served(platform) as served:
        yield served


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for a module; no longer, for its driver keeps an event loop running in this thread."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="no browser driver: install playwright")
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no Chromium on this machine: install chromium, or name one in CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A person at a browser; `faults` holds what the browser complained of."""

    site: Site
    context: Any
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Any:
        page = self.context.new_page()
        page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))
        page.goto(self.site.url + path)
        return page


def visit(chromium: Any, site: Site, **options: Any) -> Visitor:
    context = chromium.new_context(**options)
    context.set_default_timeout(90_000)
    visitor = Visitor(site, context)

    def guard(route: Any) -> None:
        if route.request.url.startswith(site.url):
            route.continue_()
        else:
            visitor.faults.append(f"asked another origin: {route.request.url}")
            route.abort()

    context.route("**/*", guard)
    return visitor


@pytest.fixture
def visitor(chromium: Any, site: Site) -> Iterator[Visitor]:
    found = visit(chromium, site)
    yield found
    found.context.close()
    assert found.faults == []
