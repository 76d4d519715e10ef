from __future__ import annotations

import pytest

from opsloop.core.audit import service as audit
from opsloop.core.caller import Caller, NotAllowed, Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.models import runtime, service
from opsloop.models.candidate import Candidate
from opsloop.models.errors import ModelMissing, ModelVersionMissing
from tests.unit.models import made

OPERATOR = Caller("test:operator", Role.OPERATOR)


@pytest.fixture(scope="module")
def candidate() -> Candidate:
    return made.iris_candidate()


def test_versions_are_found_by_number_by_alias_and_by_the_bare_name(workspace: Workspace, candidate: Candidate) -> None:
    with workspace.writing(OPERATOR) as uow:
        for run in ("run-1", "run-2"):
            service.register(uow, "iris", candidate, run=run)
        service.set_alias(uow, "iris@1", "champion")
        assert [service.get(uow, ref).version for ref in ("iris", "iris@1", "iris@champion", "iris@latest")] == [
            2, 1, 1, 2,
        ]  # fmt: skip
        assert service.get(uow, "iris@1").aliases == ("champion",)


def test_the_same_run_registers_one_version(workspace: Workspace, candidate: Candidate) -> None:
    with workspace.writing(OPERATOR) as uow:
        first = service.register(uow, "iris", candidate, run="run-1", alias="challenger")
        again = service.register(uow, "iris", candidate, run="run-1", alias="challenger")
        assert first.ref == again.ref == "iris@1"
        assert again.aliases == ("challenger",)


def test_an_alias_moves_and_goes(workspace: Workspace, candidate: Candidate) -> None:
    with workspace.writing(OPERATOR) as uow:
        for run in ("a", "b"):
            service.register(uow, "iris", candidate, run=run)
        service.set_alias(uow, "iris@1", "champion")
        service.set_alias(uow, "iris@2", "champion")
        assert service.get(uow, "iris@champion").version == 2
        service.drop_alias(uow, "iris", "champion")
        with pytest.raises(ModelVersionMissing, match="no version champion of model 'iris'; it has versions 1 to 2"):
            service.get(uow, "iris@champion")
    with workspace.reading(OPERATOR) as uow:
        actions = [event.action for event in audit.listed(uow)]
    assert actions.count("model.alias_moved") == 2
    assert actions.count("model.alias_dropped") == 1


def test_a_registered_version_runs(workspace: Workspace, candidate: Candidate) -> None:
    with workspace.writing(OPERATOR) as uow:
        version = service.register(uow, "iris", candidate)
    model = runtime.load(workspace, version.digest)
    assert model.predict(made.iris()[0][[0, 149]]).values == [0, 2]


@pytest.mark.parametrize(
    ("ref", "error", "says"),
    [
        ("irs", ModelMissing, "no model 'irs'; did you mean 'iris'?"),
        ("iris@9", ModelVersionMissing, "no version 9 of model 'iris'; it has versions 1 to 1"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    workspace: Workspace, candidate: Candidate, ref: str, error: type[Exception], says: str
) -> None:
    with workspace.writing(OPERATOR) as uow:
        service.register(uow, "iris", candidate)
        with pytest.raises(error) as raised:
            service.get(uow, ref)
    assert says in str(raised.value)


@pytest.mark.parametrize("alias", ["Champion", "latest", "", "9", "a b"])
def test_an_alias_has_a_form(workspace: Workspace, candidate: Candidate, alias: str) -> None:
    with workspace.writing(OPERATOR) as uow:
        service.register(uow, "iris", candidate)
        with pytest.raises(InvalidInput, match="alias"):
            service.set_alias(uow, "iris", alias)


def test_a_viewer_registers_nothing(workspace: Workspace, candidate: Candidate) -> None:
    with workspace.writing(Caller("test:viewer", Role.VIEWER)) as uow, pytest.raises(NotAllowed):
        service.register(uow, "iris", candidate)
