"""Who may read a collection and who may change it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from opsloop.core.caller import Caller, NotAllowed, Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.rag import service
from opsloop.rag.ingests import service as ingests
from opsloop.rag.ingests.models import Given
from opsloop.rag.models import CollectionClosed
from opsloop.rag.parsing import pieces
from opsloop.rag.runtime import READER

CI = Caller("key:ci", Role.VIEWER)
PEOPLE = Caller("key:people", Role.DEVELOPER)
OTHER = Caller("key:other", Role.DEVELOPER)
OPERATOR = Caller("key:ops", Role.OPERATOR)


@pytest.fixture
def closed(handbook: Workspace, admin: Caller) -> Workspace:
    with handbook.writing(admin) as uow:
        service.give_access(uow, "handbook", readers=["key:ci", "role:operator"], writers=["key:people"])
    return handbook


READS: list[Callable[[UnitOfWork], object]] = [
    lambda uow: service.search(uow, "handbook", "leave"),
    lambda uow: service.query(uow, "handbook", "How many days of leave?"),
    lambda uow: service.list_documents(uow, "handbook"),
    lambda uow: service.stats(uow, "handbook"),
    lambda uow: service.collection(uow, "handbook"),
    lambda uow: service.passages_of(uow, "handbook", "handbook.md"),
    lambda uow: service.document_text(uow, "handbook", "doc_none"),
    lambda uow: ingests.listed(uow, "handbook"),
]
CHANGES: list[Callable[[UnitOfWork], object]] = [
    lambda uow: service.upload(uow, "handbook", "new.txt", b"New words for this one"),
    lambda uow: service.upload_passages(uow, "handbook", b'{"_id": "a", "text": "some words"}'),
    lambda uow: service.reindex(uow, "handbook"),
    lambda uow: service.weigh(uow, "handbook", 0.5),
    lambda uow: service.retain(uow, "handbook", 5),
    lambda uow: service.delete_collection(uow, "handbook"),
]


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("by", [OTHER, READER], ids=lambda by: by.name)
def test_who_is_left_out_reads_nothing(closed: Workspace, by: Caller, read: Callable[[UnitOfWork], object]) -> None:
    with closed.reading(by) as uow, pytest.raises(CollectionClosed, match="may not read"):
        read(uow)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("by", [OTHER, OPERATOR], ids=lambda by: by.name)
def test_who_is_left_out_changes_nothing(closed: Workspace, by: Caller, change: Callable[[UnitOfWork], object]) -> None:
    with closed.writing(by) as uow, pytest.raises(CollectionClosed, match="may not change"):
        change(uow)


def test_an_ingest_from_who_is_left_out_is_refused_before_it_is_staged(closed: Workspace) -> None:
    with pytest.raises(CollectionClosed):
        ingests.take_in(closed, OTHER, "handbook", [Given("a.txt", b"words")])

    assert list(closed.artifacts.keys("ingests/")) == []


@pytest.mark.parametrize("by", [CI, OPERATOR, PEOPLE], ids=lambda by: by.name)
def test_readers_by_name_and_role_and_writers_may_read(closed: Workspace, by: Caller) -> None:
    with closed.reading(by) as uow:
        assert service.search(uow, "handbook", "leave") != []
        assert [each.name for each in service.collections(uow)] == ["handbook"]


def test_a_writer_may_write_and_an_admin_may_do_both(closed: Workspace, admin: Caller) -> None:
    for by, name in ((PEOPLE, b"one"), (admin, b"two")):
        with closed.writing(by) as uow:
            assert not service.upload(uow, "handbook", f"{by.role}.txt", b"Words of " + name).duplicate


def test_a_writer_needs_the_role_for_it_all_the_same(closed: Workspace, admin: Caller) -> None:
    with closed.writing(admin) as uow:
        service.give_access(uow, "handbook", readers=[], writers=["key:ci"])

    with closed.writing(CI) as uow, pytest.raises(NotAllowed):
        service.upload(uow, "handbook", "new.txt", b"words")


def test_a_document_that_may_not_be_stored_is_not_read(closed: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "parsed", lambda *_: pytest.fail("it was read"))
    with pytest.raises(CollectionClosed):
        service.take_in(closed, OTHER, "handbook", "new.txt", b"words")


def test_a_closed_collection_is_in_no_list_of_others(closed: Workspace) -> None:
    with closed.reading(OTHER) as uow:
        assert service.collections(uow) == []


def test_it_can_be_opened_again_and_to_flows(closed: Workspace, admin: Caller) -> None:
    with closed.writing(admin) as uow:
        service.give_access(uow, "handbook", readers=["system:flows"], writers=None)
    with closed.reading(READER) as uow:
        assert service.search(uow, "handbook", "leave") != []
    with closed.writing(admin) as uow:
        opened = service.give_access(uow, "handbook", readers=None, writers=None)

    assert (opened.readers, opened.writers) == (None, None)
    with closed.reading(OTHER) as uow:
        assert service.search(uow, "handbook", "leave") != []


def test_only_an_admin_gives_access(handbook: Workspace) -> None:
    with handbook.writing(PEOPLE) as uow, pytest.raises(NotAllowed):
        service.give_access(uow, "handbook", readers=["key:people"], writers=[])


@pytest.mark.parametrize("name", ["ci", "role:king", "", ":", "key:", "key:a\nb", "x" * 300])
def test_a_name_that_is_none_is_refused(handbook: Workspace, admin: Caller, name: str) -> None:
    with handbook.writing(admin) as uow, pytest.raises(InvalidInput, match="readers"):
        service.give_access(uow, "handbook", readers=[name], writers=None)


def test_the_route_gives_access(http: TestClient, sqlite_workspace: Workspace, admin: Caller) -> None:
    with sqlite_workspace.writing(admin) as uow:
        service.create_collection(uow, "handbook")

    given = http.put("/api/collections/handbook/access", json={"readers": ["key:ci", "key:ci"], "writers": []})

    assert (given.json()["readers"], given.json()["writers"]) == (["key:ci"], [])
