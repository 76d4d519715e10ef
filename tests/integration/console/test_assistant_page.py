"""`/assistant`: a question, its answer, and the quotes that lead to where they stand."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx
import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.workspace import Workspace
from opsloop.incidents import service as incidents
from opsloop.incidents.models import Observed, Subject, Suspect

READER = Caller("key:reader", Role.VIEWER)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def incident(sqlite_workspace: Workspace, admin: Caller) -> str:
    with sqlite_workspace.writing(admin) as uow:
        subject = Subject(endpoint="chat", service="checkout")
        signal = Observed(
            "grafana", "alert", "CheckoutSlow", "ticket", subject, f"p95 above 2 s {HOSTILE}", uow.clock.now()
        )
        (found,) = incidents.take_in(uow, [signal]).opened
        said = ("the pool of connections was exhausted",)
        incidents.suspect(uow, found, [Suspect("service/checkout, release 7", "release", 0.9, said)])
    return str(found)


@pytest.fixture
def call(sqlite_workspace: Workspace) -> Iterator[httpx.Client]:
    from fastapi.testclient import TestClient
    from starlette.types import Receive, Scope, Send

    from opsloop.server.control_plane import control_plane

    app = control_plane(sqlite_workspace)

    async def authenticated(scope: Scope, receive: Receive, send: Send) -> None:
        scope["opsloop.caller"] = READER
        await app(scope, receive, send)

    with TestClient(authenticated, headers={"accept": "text/html"}) as client:
        yield client  # type: ignore[misc]


def test_the_page_asks_for_a_question_and_stands_in_the_side_bar(call: httpx.Client, incident: str) -> None:
    shown = call.get("/assistant").text
    assert 'name="question"' in shown
    assert '<a href="/assistant" aria-current="page">Assistant</a>' in shown
    assert f'<option value="{incident}">' in shown
    assert f'<option value="{incident}" selected>' in call.get(f"/assistant?incident={incident}").text
    assert f'href="/assistant?incident={incident}"' in call.get(f"/incidents/{incident}").text


def test_an_answer_has_quotes_that_lead_to_where_they_stand(call: httpx.Client, incident: str) -> None:
    question = "Which suspect is named for the cause of the incident?"
    answer = call.post("/assistant", data={"question": question, "incident": incident})
    assert answer.status_code == 200
    assert '<h2 id="answer">Answer</h2>' in answer.text
    quotes = re.findall(r'<li id="quote-\d+"><blockquote>(.*?)</blockquote><p><a href="(.*?)">', answer.text, re.DOTALL)
    assert any("service/checkout, release 7" in html.unescape(quoted) for quoted, _ in quotes)
    for quoted, link in quotes:
        assert link == f"/incidents/{incident}"
        there = call.get(html.unescape(link))
        assert there.status_code == 200
        assert "service/checkout, release 7" in there.text, quoted
    assert html.escape(question) in answer.text  # it stays in the form
    assert f'<option value="{incident}" selected>' in answer.text
    assert HOSTILE not in answer.text


def test_what_nothing_answers_is_said_to_be_so(call: httpx.Client, incident: str) -> None:
    answer = call.post("/assistant", data={"question": "How many vacation days do employees in Norway get?"})
    assert answer.status_code == 200
    assert "Nothing that is stored answers this question." in answer.text
    assert "<blockquote>" not in answer.text


@pytest.mark.parametrize("question", ["", "  ", "x" * 2_001])
def test_a_wrong_question_is_said_on_the_page(call: httpx.Client, question: str) -> None:
    answer = call.post("/assistant", data={"question": question})
    assert answer.status_code == 422
    assert "wanted a question of 1 to 2000 characters" in answer.text
    assert 'aria-describedby="trouble"' in answer.text


def test_an_incident_that_is_not_there_is_no_page(call: httpx.Client) -> None:
    assert call.get("/assistant?incident=incident_none").status_code == 404
    assert call.post("/assistant", data={"question": "Why?", "incident": "incident_none"}).status_code == 404


def test_a_hostile_question_is_shown_as_text(call: httpx.Client, incident: str) -> None:
    answer = call.post("/assistant", data={"question": f"</textarea>{HOSTILE} which suspect is named for the cause?"})
    assert HOSTILE not in answer.text
    assert "</textarea><" not in answer.text.partition("</textarea>")[2][:40]
