"""Fixtures of a live gateway."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from tests.integration.gateway.world import Live, Shop, Signals


@pytest.fixture(autouse=True)
def signals(monkeypatch: pytest.MonkeyPatch) -> Signals:
    made = Signals()
    monkeypatch.setitem(sys.modules, "signals", made)
    return made


@pytest.fixture
def settings(migrated_folder: Path) -> CoreSettings:
    return CoreSettings(data_dir=migrated_folder, body_limit_bytes=20_000)


@pytest.fixture
def shop(settings: CoreSettings, tmp_path: Path) -> Iterator[Shop]:
    workspace = open_workspace(settings)
    made = Shop(workspace, tmp_path / "flows")
    made.endpoint()
    yield made
    workspace.close()


@pytest.fixture
def live(shop: Shop) -> Iterator[Callable[[], Live]]:
    """Starts the gateway when a test has released what it wants served."""
    started: list[Live] = []

    def start() -> Live:
        started.append(Live(shop.workspace))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60, trust_env=False) as client:
        yield client
