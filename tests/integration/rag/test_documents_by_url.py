"""Documents by URL: off at first, fetched as the settings allow, refused with a reason, and on the record."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from fastapi.testclient import TestClient

from opsloop.core.audit import service as audit
from opsloop.core.caller import Caller, Role
from opsloop.core.errors import Denied, InvalidInput
from opsloop.core.jobs import inline
from opsloop.core.workspace import Workspace
from opsloop.rag import service
from opsloop.rag.ingests import service as ingests
from opsloop.rag.ingests import urls
from opsloop.rag.ingests.models import Given, Ingest, IngestMissing, Item, Named
from opsloop.rag.models import CollectionClosed
from tests.integration.core.hostile_web import PUBLIC, Web, replying, server

PAGE = (
    b"<html><head><title>Leave</title></head><body><h1>Leave</h1><p>Employees get 25 days of leave.</p></body></html>"
)
OK = ("HTTP/1.1 200 OK", "Content-Type: text/html; charset=utf-8")
LEAVE = Named("https://example.org/leave?key=secret")
HTTP = Named("http://example.org/wiki/leave?key=secret", metadata={"team": "people"})


@pytest.fixture(autouse=True)
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_RAG_URLS", "public")


def taken_in(
    workspace: Workspace, by: Caller, sent: Sequence[Given | Named], web: Web, *, into: str | None = None
) -> Ingest:
    found = urls.take_in(workspace, by, "handbook", sent, into=into, network=web.network)
    inline.run_due(workspace, kind=ingests.KIND)
    return found


def items(workspace: Workspace, by: Caller, ingest: Ingest) -> list[Item]:
    with workspace.reading(by) as uow:
        return ingests.items(uow, "handbook", ingest.id)


def test_a_page_is_stored_with_where_it_came_from_and_is_on_the_record(workspace: Workspace, admin: Caller) -> None:
    with server(replying(*OK, body=PAGE)) as port:
        web = Web({"example.org": [[PUBLIC]]}, port)
        ingest = taken_in(workspace, admin, [HTTP, Given("care.txt", b"Dental care is covered.")], web)

    assert [(each.filename, each.state.value) for each in items(workspace, admin, ingest)] == [
        ("leave.html", "stored"),
        ("care.txt", "stored"),
    ]
    with workspace.reading(admin) as uow:
        [found] = service.search(uow, "handbook", "days of leave", filters={"team": "people"})
        assert found.text.endswith("Employees get 25 days of leave.")
        by_name = {each.filename: each.metadata for each in service.list_documents(uow, "handbook")}
        [event] = audit.listed(uow, action="document.fetched")
    assert by_name["leave.html"] == {"team": "people", "url": "http://example.org/wiki/leave"}
    assert (event.actor, event.target) == ("test:admin", "collection/handbook")
    assert event.detail["url"] == "http://example.org/wiki/leave"
    assert event.detail["ingest"] == ingest.id


def test_what_cannot_be_fetched_is_refused_stops_no_other_and_is_on_the_record(
    workspace: Workspace, admin: Caller
) -> None:
    inside, gone = Named("http://inside.example/admin?token=hidden"), Named("http://nowhere.example/x.md")
    with server(replying(*OK, body=PAGE)) as port:
        web = Web({"example.org": [[PUBLIC]], "inside.example": [["169.254.169.254"]]}, port)
        ingest = taken_in(workspace, admin, [inside, gone, Named("file:///etc/passwd"), HTTP], web)

    found = items(workspace, admin, ingest)
    assert [each.state.value for each in found] == ["refused", "refused", "refused", "stored"]
    assert [each.filename for each in found] == ["admin", "x.md", "passwd", "leave.html"]
    reasons = [each.reason or "" for each in found]
    assert "wanted an address of the public web" in reasons[0]
    assert "nowhere.example has no address" in reasons[1]
    assert "wanted an http:// or https:// URL" in reasons[2]
    assert web.connected == [(PUBLIC, 80)]
    with workspace.reading(admin) as uow:
        recorded = audit.listed(uow, action="document.not_fetched")
    assert {each.detail["url"] for each in recorded} >= {"http://inside.example/admin", "http://nowhere.example/x.md"}
    assert "hidden" not in str([each.detail for each in recorded]) + str(reasons)


def test_the_largest_document_is_the_same_by_url(
    workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_RAG_DOCUMENT_LIMIT_BYTES", "50")
    with server(replying(*OK, body=PAGE)) as port:
        ingest = taken_in(workspace, admin, [HTTP], Web({"example.org": [[PUBLIC]]}, port))
    [found] = items(workspace, admin, ingest)
    assert found.reason == "http://example.org/wiki/leave has more than 50 bytes, the limit"


def test_a_kind_that_is_not_read_is_refused(workspace: Workspace, admin: Caller) -> None:
    with server(replying("HTTP/1.1 200 OK", "Content-Type: image/png", body=b"\x89PNG")) as port:
        web = Web({"example.org": [[PUBLIC]]}, port)
        ingest = taken_in(workspace, admin, [Named("http://example.org/photo.png")], web)
    [found] = items(workspace, admin, ingest)
    assert (found.state.value, found.filename) == ("refused", "photo.png")


def test_only_hosts_that_are_named_are_asked(
    workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_RAG_URLS", "named")
    monkeypatch.setenv("OPSLOOP_RAG_URL_HOSTS", "wiki.intra:8090")
    wiki, other = Named("http://wiki.intra:8090/leave"), Named("http://other.intra:8090/leave")
    with server(replying(*OK, body=PAGE)) as port:
        web = Web({"wiki.intra": [["10.0.0.7"]], "other.intra": [["10.0.0.8"]]}, port)
        ingest = taken_in(workspace, admin, [wiki, other], web)
    assert [each.state.value for each in items(workspace, admin, ingest)] == ["stored", "refused"]
    assert web.connected == [("10.0.0.7", 8090)]


def test_nothing_is_asked_for_who_may_not_change_the_collection(sqlite_workspace: Workspace, admin: Caller) -> None:
    web = Web({"example.org": [[PUBLIC]]}, 1)
    with sqlite_workspace.writing(admin) as uow:
        service.create_collection(uow, "handbook")
        service.give_access(uow, "handbook", readers=None, writers=["key:ci"])
    with pytest.raises(CollectionClosed):
        taken_in(sqlite_workspace, Caller("key:dev", Role.DEVELOPER), [HTTP], web)
    with pytest.raises(Denied):
        taken_in(sqlite_workspace, Caller("key:viewer", Role.VIEWER), [HTTP], web)
    with pytest.raises(IngestMissing):
        taken_in(sqlite_workspace, admin, [HTTP], web, into="ingest_other")
    assert web.asked == []


def test_urls_are_off_at_first(sqlite_workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPSLOOP_RAG_URLS")
    web = Web({"example.org": [[PUBLIC]]}, 1)
    with pytest.raises(InvalidInput, match=r"^documents\.1\.url: wanted the file's bytes: fetching documents is off"):
        taken_in(sqlite_workspace, admin, [Given("a.txt", b"text"), LEAVE], web)
    assert web.asked == []


def test_named_hosts_must_be_named(sqlite_workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_RAG_URLS", "named")
    with pytest.raises(InvalidInput, match=r"^setting rag_url_hosts: is ''; wanted the hosts"):
        taken_in(sqlite_workspace, admin, [LEAVE], Web({}, 1))


def test_so_many_urls_are_too_many(sqlite_workspace: Workspace, admin: Caller) -> None:
    with pytest.raises(InvalidInput, match="'21 URLs'; wanted at most 20 URLs a request"):
        taken_in(sqlite_workspace, admin, [LEAVE] * 21, Web({}, 1))


def test_a_url_inside_is_refused_over_http_too(http: TestClient) -> None:
    at = "/api/collections/handbook/ingests"
    answer = http.post(at, json={"documents": [{"url": "http://127.0.0.1:8700/api/keys"}, {"url": "http://[::1]/"}]})
    assert (answer.status_code, answer.json()["refused"]) == (202, 2)
    found = http.get(f"{at}/{answer.json()['id']}/documents").json()["items"]
    assert "wanted a URL with port 80 or 443" in found[0]["reason"]
    assert "wanted an address of the public web" in found[1]["reason"]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"url": 7}, "documents.0.url"),
        ({"url": "http://example.org", "content_base64": "eA=="}, "documents.0.content_base64"),
        ({"url": "http://example.org", "metadata": {"a": 1}}, "documents.0.metadata.a"),
        ({"filename": "a.txt"}, "documents.0.content_base64"),
        (7, "documents.0"),
    ],
)
def test_a_wrong_form_is_told_by_the_field_that_was_written(http: TestClient, document: object, field: str) -> None:
    answer = http.post("/api/collections/handbook/ingests", json={"documents": [document]})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(f"{field}: ")
