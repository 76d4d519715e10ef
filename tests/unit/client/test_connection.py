from __future__ import annotations

from typing import Any

import httpx
import pytest

from opsloop.client.connection import Connection, path
from opsloop.client.decode import AnswerUnreadable
from opsloop.client.errors import AnswerOverdue, NotOpsloop, ServerProblem, ServerUnreachable
from opsloop.core import errors
from opsloop.core.audit.models import Verification
from opsloop.core.errors import InvalidInput, Kind, NotFound, OpsloopError
from opsloop.core.web import problems
from tests.unit.client.conftest import Connecting

ONE_OF_EACH: list[OpsloopError] = [
    kind("it went wrong")
    for kind in (
        errors.InvalidInput,
        errors.NotFound,
        errors.Conflict,
        errors.Denied,
        errors.Unauthenticated,
        errors.TooLarge,
        errors.RateLimited,
        errors.Unavailable,
        errors.TimedOut,
        errors.AnswerIsNo,
        errors.Failed,
    )
]


def test_an_answer_becomes_the_noun_and_members_that_are_not_known_are_ignored(connecting: Connecting) -> None:
    body = {"ok": True, "events": 3, "checkpoints": 1, "head": "ab", "since_a_later_version": 1}
    connection, _ = connecting(lambda _: httpx.Response(200, json=body))

    assert connection.get("/api/audit/verify", Verification) == Verification(True, 3, 1, "ab")


def test_an_answer_of_another_shape_says_where_and_what(connecting: Connecting) -> None:
    connection, _ = connecting(lambda _: httpx.Response(200, json={"ok": "perhaps"}))

    with pytest.raises(AnswerUnreadable, match=r"/api/audit/verify .*\$\.ok"):
        connection.get("/api/audit/verify", Verification)


def test_a_request_carries_the_key_and_leaves_out_what_was_not_given(connecting: Connecting) -> None:
    connection, server = connecting(lambda _: httpx.Response(200, json={"items": []}))

    connection.items("/api/audit", Verification, target="endpoint/a b&c", before=None)

    (request,) = server.requests
    assert request.headers["authorization"] == "Bearer opl_t"
    assert dict(request.url.params) == {"target": "endpoint/a b&c"}


@pytest.mark.parametrize("error", ONE_OF_EACH, ids=lambda error: str(error.kind))
def test_a_problem_document_becomes_an_error_of_the_same_kind_and_class(
    connecting: Connecting, error: OpsloopError
) -> None:
    document = problems.problem(error, request_id="req_1")
    connection, _ = connecting(lambda _: httpx.Response(document["status"], json=document))

    with pytest.raises(ServerProblem, match="it went wrong") as caught:
        connection.get("/x", dict[str, Any])

    assert isinstance(caught.value, type(error))
    assert caught.value.kind is error.kind
    assert caught.value.problem == error.slug()
    assert caught.value.request_id == "req_1"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 429, 500, 503, 504])
def test_a_problem_without_our_kind_gets_one_from_its_status(connecting: Connecting, status: int) -> None:
    connection, _ = connecting(lambda _: httpx.Response(status, json={"title": "a proxy's words"}))

    with pytest.raises(ServerProblem, match="a proxy's words") as caught:
        connection.get("/x", dict[str, Any])

    assert caught.value.status == status
    assert (caught.value.kind is Kind.FAILED) == (status == 500)


def test_somebody_elses_server_is_told_apart(connecting: Connecting) -> None:
    connection, _ = connecting(lambda _: httpx.Response(500, text="<html>teapot</html>"))

    with pytest.raises(NotOpsloop, match=r"http://ops\.test answered 500"):
        connection.get("/x", dict[str, Any])


def test_nobody_there_is_unreachable_and_silence_is_overdue(connecting: Connecting) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    def stall(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    with pytest.raises(ServerUnreachable, match=r"http://ops\.test does not answer"):
        connecting(refuse)[0].get("/x", dict[str, Any])
    with pytest.raises(AnswerOverdue, match="within 5 s"):
        connecting(stall)[0].get("/x", dict[str, Any])


@pytest.mark.parametrize("url", ["ops.test", "ftp://ops.test", "http://", "http://[::1", ""])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="OPSLOOP_URL"):
        Connection(url, timeout_s=1.0)


def test_parts_of_a_path_cannot_leave_their_place() -> None:
    assert path("api", "datasets", "../keys?x#y", "golden@3") == "/api/datasets/..%2Fkeys%3Fx%23y/golden@3"


def test_except_not_found_catches_what_the_server_did_not_find(connecting: Connecting) -> None:
    document = problems.problem(NotFound(noun="flow", name="x"))
    connection, _ = connecting(lambda _: httpx.Response(404, json=document))

    with pytest.raises(NotFound, match="no flow named 'x'"):
        connection.get("/x", dict[str, Any])
