"""What a dataset's name stood for at another time; tags and lineage of versions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from opsloop.core.audit import service as audit
from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.errors import Denied, InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.datasets import lineage, query, service
from opsloop.datasets.errors import DatasetMissing


def register(workspace: Workspace, by: Caller, value: int) -> str:
    with workspace.writing(by) as uow:
        return service.register(uow, "golden", "rows.csv", f"a,b\n{value},x\n".encode()).ref


@pytest.fixture
def travelled(workspace: Workspace, admin: Caller, clock: FakeClock) -> Workspace:
    """Version 1 on the 10th at 10:00, version 2 on the 12th, version 1 again on the 14th."""
    for day, value in ((10, 1), (12, 2), (14, 1)):
        clock.jump_to(datetime(2027, 3, day, 10, tzinfo=UTC))
        register(workspace, admin, value)
    return workspace


@pytest.mark.parametrize(
    ("when", "version"),
    [
        ("2027-03-10T10:00:00Z", 1),
        ("2027-03-10T11:30:00+01:00", 1),
        ("2027-03-10", 1),
        ("2027-03-11", 1),
        ("2027-03-12T09:59:59Z", 1),
        ("2027-03-12", 2),
        ("2027-03-14T09:59:59.999", 2),
        ("2027-03-14", 1),
        ("2099-01-01", 1),
    ],
)
def test_a_time_names_the_version_that_was_current_then(
    travelled: Workspace, admin: Caller, when: str, version: int
) -> None:
    with travelled.reading(admin) as uow:
        assert service.get(uow, f"golden@{when}").version == version


def test_before_the_first_version_there_was_none(travelled: Workspace, admin: Caller) -> None:
    with travelled.reading(admin) as uow:
        for when in ("2027-03-09", "2027-03-10T09:59:59Z"):
            with pytest.raises(DatasetMissing, match="its first version is of 2027-03-10T10:00:00Z"):
                service.get(uow, f"golden@{when}")


@pytest.mark.parametrize("when", ["2027-02-30", "2027-03-10T25:00", "2027-03-10Tnoon"])
def test_a_day_that_there_is_not_is_refused(travelled: Workspace, admin: Caller, when: str) -> None:
    with travelled.reading(admin) as uow, pytest.raises(InvalidInput, match="a day or an instant such as 2026-11-20"):
        service.get(uow, f"golden@{when}")


def test_a_query_travels_too(travelled: Workspace, admin: Caller) -> None:
    assert query.ask(travelled, admin, 'SELECT a FROM "golden@2027-03-12"').rows == ((2,),)


def test_rows_that_are_current_already_move_nothing(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    clock.jump_to(datetime(2027, 3, 10, tzinfo=UTC))
    register(workspace, admin, 1)
    clock.jump_to(datetime(2027, 3, 11, tzinfo=UTC))
    assert register(workspace, admin, 1) == "golden@1"
    with workspace.reading(admin) as uow:
        assert service.get(uow, "golden@2027-03-10").version == 1


def test_tags_are_put_on_and_taken_off_and_audited(travelled: Workspace, admin: Caller) -> None:
    with travelled.writing(admin) as uow:
        assert service.tag(uow, "golden@1", add=["golden", "draft"]).tags == ("draft", "golden")
    with travelled.writing(admin) as uow:
        assert service.tag(uow, "golden@1", add=["frozen"], remove=["draft"]).tags == ("frozen", "golden")
        with pytest.raises(InvalidInput, match="a tag of golden@1, which has frozen, golden"):
            service.tag(uow, "golden@1", remove=["silver"])
        with pytest.raises(InvalidInput, match="tag"):
            service.tag(uow, "golden@1", add=["2027-01-01"])
    with travelled.reading(admin) as uow:
        assert service.get(uow, "golden@frozen").version == 1
        found = audit.listed(uow, action="dataset.tagged")
    assert found[0].detail == {"added": ["frozen"], "removed": ["draft"]}
    with travelled.writing(Caller("test:viewer", Role.VIEWER)) as uow, pytest.raises(Denied):
        service.tag(uow, "golden@1", add=["mine"])


def test_lineage_says_what_a_version_was_made_from(travelled: Workspace, admin: Caller) -> None:
    with travelled.writing(admin) as uow:
        version = service.get(uow, "golden@2")
        for _ in range(2):
            lineage.note_source(uow, version, "dataset", "raw@3")
        lineage.note_use(uow, version, "evaluation", "run_1")
    with travelled.reading(admin) as uow:
        found = lineage.of_version(uow, version)
        assert [(each.noun, each.target) for each in found.made_from] == [("dataset", "raw@3")]
        assert [(each.noun, each.target) for each in found.used_by] == [("evaluation", "run_1")]
        assert lineage.of_version(uow, service.get(uow, "golden@1")).made_from == ()
