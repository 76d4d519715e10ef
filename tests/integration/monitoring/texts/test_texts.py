from __future__ import annotations

from datetime import datetime

import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.errors import Denied
from opsloop.core.workspace import Workspace
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord, Texts
from opsloop.monitoring.texts import service
from opsloop.monitoring.texts.erasing import erase
from opsloop.rag.deletion.erasing import erased


def record(request_id: str, at: datetime, *, days: float = 30, question: str = "how many days?") -> RequestRecord:
    return RequestRecord(
        request_id=request_id,
        endpoint="chat",
        release="release_1",
        arm="stable",
        subject="s",
        started_at=at,
        duration_ms=1.0,
        status="ok",
        texts=Texts(question=question, answer="28", days=days),
    )


def ingest(workspace: Workspace, by: Caller, *found: RequestRecord) -> None:
    with workspace.writing(by) as uow:
        records.ingest(uow, found)


def test_texts_are_kept_once_and_found_by_the_request(workspace: Workspace, admin: Caller) -> None:
    now = workspace.clock.now()
    first, second = record("req_1", now), record("req_2", now, question="\N{REPLACEMENT CHARACTER} Отпуск 休暇 👍")
    ingest(workspace, admin, first, second)
    ingest(workspace, admin, first)
    with workspace.reading(admin) as uow:
        found = service.of_requests(uow, ["req_2", "req_3"])
        assert [each.request_id for each in service.newest(uow, endpoint="chat")] == ["req_2", "req_1"]
    assert {key: each.question for key, each in found.items()} == {"req_2": "\N{REPLACEMENT CHARACTER} Отпуск 休暇 👍"}


def test_texts_go_when_their_days_are_over(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    ingest(workspace, admin, record("req_1", clock.now(), days=1), record("req_2", clock.now(), days=3))
    assert service.prune(workspace) == 0
    clock.advance(86_400)
    with workspace.reading(admin) as uow:  # gone for readers before they are pruned
        assert list(service.of_requests(uow, ["req_1", "req_2"])) == ["req_2"]
    assert service.prune(workspace) == 1
    assert service.prune(workspace) == 0


def test_fewer_days_hold_for_what_is_kept_already(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    ingest(workspace, admin, record("req_1", clock.now()), record("req_2", clock.now(), days=1))
    with workspace.writing(admin) as uow:
        service.shorten(uow, "chat", 2)
        days = {each.request_id: (each.expires_at - each.at).days for each in service.newest(uow)}
        assert days == {"req_1": 2, "req_2": 1}
        service.shorten(uow, "chat", 0)
        assert service.newest(uow) == []


def test_texts_of_a_request_are_erased_on_demand(sqlite_workspace: Workspace, admin: Caller) -> None:
    ingest(sqlite_workspace, admin, record("req_1", sqlite_workspace.clock.now()))
    with sqlite_workspace.writing(admin) as uow:
        assert service.erase(uow, "req_1") == 1
        assert service.erase(uow, "req_1") == 0
        assert [each.action for each in uow.records] == ["texts.erased"]


def test_a_viewer_reads_no_texts(sqlite_workspace: Workspace) -> None:
    with sqlite_workspace.reading(Caller("key:watcher", Role.VIEWER)) as uow, pytest.raises(Denied):
        service.newest(uow)


def test_texts_that_quote_a_deleted_document_go_with_it(workspace: Workspace, admin: Caller) -> None:
    now = workspace.clock.now()
    said = "every employee has twenty eight days of leave in each year of work"
    ingest(workspace, admin, record("req_1", now, question=f"is it true that {said}?"), record("req_2", now))
    with workspace.writing(admin) as uow:
        assert erase(uow, erased("handbook", {"doc_1": said})) == 1
        assert [each.request_id for each in service.newest(uow)] == ["req_2"]
