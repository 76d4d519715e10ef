"""Two gateways on one database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.releases import rollouts
from opsloop.releases import service as releases
from tests.integration.gateway.world import ECHO, OPERATOR, Live, Shop, ask


@pytest.fixture
def settings(migrated_url: str, tmp_path: Path) -> CoreSettings:
    artifacts = f"file://{tmp_path / 'artifacts'}"
    return CoreSettings(data_dir=tmp_path / "data", database_url=migrated_url, artifacts_url=artifacts)


@pytest.fixture
def replica(settings: CoreSettings, tmp_path: Path) -> Iterator[Workspace]:
    """A second process's view of the same installation: its own folder and bells, the same database and artifacts."""
    workspace = open_workspace(settings.model_copy(update={"data_dir": tmp_path / "replica"}))
    yield workspace
    workspace.close()


def arm(http: httpx.Client, live: Live) -> tuple[str, int]:
    told = ask(http, live, user="maria").json()["choices"][0]["message"]["opsloop"]
    return told["arm"], told["number"]


def test_both_follow_a_change_of_weights_without_a_failed_request(
    shop: Shop, replica: Workspace, http: httpx.Client
) -> None:
    shop.release(ECHO)
    both = [Live(shop.workspace), Live(replica)]
    try:
        assert [arm(http, each) for each in both] == [("stable", 1)] * 2
        rollout = shop.canary(ECHO)
        for each in both:  # until the test's own time limit
            while arm(http, each) != ("candidate", 2):
                pass
        with shop.workspace.writing(OPERATOR) as uow:
            rollouts.promote(uow, rollout)
        for each in both:
            while arm(http, each) != ("stable", 2):
                pass
        with shop.workspace.writing(OPERATOR) as uow:
            releases.roll_back(uow, "chat")
        for each in both:
            while arm(http, each) != ("stable", 1):
                pass
    finally:
        for each in both:
            each.stop()
    found = shop.records()
    assert {record.status for record in found} == {"ok"}
    assert len({record.subject for record in found}) == 1
