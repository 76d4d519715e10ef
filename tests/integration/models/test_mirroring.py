from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from opsloop.core.audit import service as audit
from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.inline import run_due
from opsloop.core.workspace import Workspace
from opsloop.models import jobs as model_jobs
from opsloop.models import mirroring, mlflow, service
from opsloop.models.candidate import Candidate
from tests.unit.models import made
from tests.unit.models.mlflow_server import FakeServer

OPERATOR = Caller("test:operator", Role.OPERATOR)


@pytest.fixture(scope="module")
def candidate() -> Candidate:
    return made.iris_candidate()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    monkeypatch.setenv("OPSLOOP_MLFLOW_TRACKING_URI", "http://mlflow.test")
    fake = FakeServer()
    with patch.object(mlflow, "Mirror", lambda _settings: fake.mirror()):
        yield fake


def actions(workspace: Workspace) -> list[str]:
    with workspace.reading(OPERATOR) as uow:
        return [event.action for event in audit.listed(uow) if "mirror" in event.action]


def test_a_version_is_copied_after_it_is_registered(
    workspace: Workspace, candidate: Candidate, server: FakeServer
) -> None:
    with workspace.writing(OPERATOR) as uow:
        service.register(uow, "iris", candidate, run="a")
        service.register(uow, "iris", candidate, run="a")
    assert run_due(workspace, kind=mirroring.KIND) == 1
    assert [each["name"] for each in server.versions] == ["iris"]
    assert any(name.endswith("/model.onnx") for name in server.files)
    assert not any("baseline" in name for name in server.files)
    assert actions(workspace) == ["model.mirrored"]


def test_a_server_that_is_away_is_asked_again_later_and_in_the_end_given_up(
    workspace: Workspace, candidate: Candidate, server: FakeServer, clock: FakeClock
) -> None:
    server.status = 503
    with workspace.writing(OPERATOR) as uow:
        service.register(uow, "iris", candidate)
    assert run_due(workspace, kind=mirroring.KIND) == 1
    for delay_s in mirroring.DELAYS_S:
        clock.advance(delay_s - 1)
        assert run_due(workspace, kind=mirroring.KIND) == 0
        clock.advance(2)
        assert run_due(workspace, kind=mirroring.KIND) == 1
    clock.advance(timedelta(days=30).total_seconds())
    assert run_due(workspace, kind=mirroring.KIND) == 0
    assert actions(workspace) == ["model.not_mirrored"]


def test_a_server_that_comes_back_gets_its_copy(
    workspace: Workspace, candidate: Candidate, server: FakeServer, clock: FakeClock
) -> None:
    server.status = 503
    with workspace.writing(OPERATOR) as uow:
        service.register(uow, "iris", candidate)
    run_due(workspace, kind=mirroring.KIND)
    server.status = 0
    clock.advance(6)
    run_due(workspace, kind=mirroring.KIND)
    assert len(server.versions) == 1
    assert actions(workspace) == ["model.mirrored"]


def test_without_a_server_nothing_is_copied(workspace: Workspace, candidate: Candidate) -> None:
    assert model_jobs
    with workspace.writing(OPERATOR) as uow:
        service.register(uow, "iris", candidate)
        assert jobs.listed(uow, kind=mirroring.KIND) == []


def test_the_address_of_the_server_has_a_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from opsloop.core import settings
    from opsloop.core.errors import InvalidInput
    from opsloop.models.settings import ModelSettings

    monkeypatch.setenv("OPSLOOP_MLFLOW_TRACKING_URI", "file:///mlruns")
    with pytest.raises(InvalidInput, match="mlflow_tracking_uri"):
        settings.read(ModelSettings)
