"""Messages of the Slack app, on a server that speaks as its Web API does: posted once, rewritten when decided."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import text

from opsloop.core.audit import service as audit
from opsloop.core.events.outbox import deliver_due
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.inline import run_due
from opsloop.core.notices import service as notices
from opsloop.remediation import halts, service
from opsloop.remediation.models import Remediation, State
from opsloop.remediation.slack import buttons, message, showing
from tests.integration.remediation.conftest import OPERATOR, SECOND, VIEWER, Trouble, settle

TOKEN = "xoxb-a-bot-token"
CHANNEL = "C024BE91L"


class SlackServer(ThreadingHTTPServer):
    """Messages by their `ts`, and every call. Args of `answers`: what the next calls get instead, status and body."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.messages: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.answers: list[tuple[int, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/api"

    def take(self, method: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(method)
        if token != f"Bearer {TOKEN}":
            return {"ok": False, "error": "invalid_auth"}
        if body["channel"] != CHANNEL:
            return {"ok": False, "error": "channel_not_found"}
        if method == "chat.postMessage":
            ts = f"1503435956.{len(self.messages):06}"
            self.messages[ts] = body
            return {"ok": True, "channel": CHANNEL, "ts": ts}
        if body["ts"] not in self.messages:
            return {"ok": False, "error": "message_not_found"}
        self.messages[body["ts"]] = body
        return {"ok": True, "channel": CHANNEL, "ts": body["ts"]}


class _Handler(BaseHTTPRequestHandler):
    server: SlackServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, said = 200, b""
        if self.server.answers:
            self.server.calls.append("refused")
            status, said = self.server.answers.pop(0)
        else:
            method = self.path.removeprefix("/api/")
            said = json.dumps(self.server.take(method, self.headers["authorization"], body)).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[SlackServer]:
    with SlackServer() as opened:
        thread = threading.Thread(target=opened.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield opened
        opened.shutdown()
        thread.join()


@pytest.fixture
def app(trouble: Trouble, server: SlackServer) -> Trouble:
    configured(trouble, server)
    trouble.begin()
    return trouble


def configured(trouble: Trouble, server: SlackServer, **more: Any) -> None:
    given: dict[str, Any] = {
        "remediation_slack_signing_secret": "a secret",
        "remediation_slack_token": TOKEN,
        "remediation_slack_channel": CHANNEL,
        "remediation_slack_api": server.url,
    }
    settle(trouble.workspace, **(given | more))


def worked(trouble: Trouble) -> None:
    """Events are delivered, and the jobs that they ask for are done."""
    deliver_due(trouble.workspace)
    run_due(trouble.workspace, kind=showing.KIND)


def asked_in(trouble: Trouble) -> Remediation:
    asked = trouble.proposed()
    worked(trouble)
    return asked


def secrets_of(body: dict[str, Any]) -> dict[str, str]:
    found = [block for block in body["blocks"] if block["type"] == "actions"]
    return {each["action_id"]: each["value"] for each in found[0]["elements"]} if found else {}


def only(server: SlackServer) -> dict[str, Any]:
    (found,) = server.messages.values()
    return found


def test_a_question_is_posted_once_and_its_buttons_are_good(app: Trouble, server: SlackServer) -> None:
    asked = asked_in(app)
    worked(app)
    assert server.calls == ["chat.postMessage"]
    pair = secrets_of(only(server))
    with app.workspace.writing(OPERATOR) as uow:
        assert buttons.press(uow, pair[message.APPROVE]).remediation == asked.id


def test_no_secret_of_a_button_is_stored_anywhere(app: Trouble, server: SlackServer) -> None:
    asked_in(app)
    pair = secrets_of(only(server))
    with app.workspace.reading(VIEWER) as uow:
        assert notices.listed(uow) == []
        assert all("secret" not in str(each.__class__) for each in jobs.listed(uow))
        tables = ("jobs", "remediation_messages", "remediation_buttons", "deliveries", "outbox", "remediations")
        for table in tables:
            for row in uow.session.execute(text(f"SELECT * FROM {table}")):
                assert not any(secret in str(tuple(row)) for secret in pair.values()), table


def test_what_was_decided_elsewhere_takes_the_place_of_the_buttons(app: Trouble, server: SlackServer) -> None:
    asked = asked_in(app)
    app.approve(asked)
    worked(app)
    assert secrets_of(only(server)) == {}
    assert "approved by key:maria" in only(server)["text"]
    app.step(asked)
    app.over()
    app.ask()
    assert app.step(asked).state is State.HELPED
    worked(app)
    assert "approved by key:maria; helped: " in only(server)["text"]
    calls = len(server.calls)
    worked(app)
    assert len(server.calls) == calls


def test_a_no_elsewhere_is_told_with_its_reason(app: Trouble, server: SlackServer) -> None:
    asked = asked_in(app)
    with app.workspace.writing(SECOND) as uow:
        service.reject(uow, asked.id, reason="a <test> of ours")
    worked(app)
    assert "rejected: rejected by key:ben: a &lt;test&gt; of ours" in only(server)["text"]
    assert secrets_of(only(server)) == {}


def test_a_question_that_lapsed_says_so(app: Trouble, server: SlackServer) -> None:
    asked_in(app)
    app.clock.advance(901)
    worked(app)
    assert "nobody said yes in time" in only(server)["text"]
    assert secrets_of(only(server)) == {}


def test_the_kill_switch_takes_the_buttons_away_and_gives_them_back(app: Trouble, server: SlackServer) -> None:
    asked = asked_in(app)
    before = secrets_of(only(server))
    with app.workspace.writing(SECOND) as uow:
        halts.begin(uow, reason="a migration goes on")
    worked(app)
    assert "repairs are halted by key:ben: a migration goes on" in only(server)["text"]
    assert secrets_of(only(server)) == {}
    with app.workspace.writing(SECOND) as uow:
        halts.end(uow)
    worked(app)
    again = secrets_of(only(server))
    assert len(again) == 2
    assert not set(again.values()) & set(before.values())
    with app.workspace.writing(OPERATOR) as uow:
        with pytest.raises(buttons.ButtonIsOver):
            buttons.press(uow, before[message.APPROVE])
        assert buttons.press(uow, again[message.APPROVE]).remediation == asked.id


def test_the_first_of_two_yes_is_told_and_the_second_is_asked_for(app: Trouble, server: SlackServer) -> None:
    configured(app, server, remediation_four_eyes=["*"])
    asked = asked_in(app)
    first = secrets_of(only(server))
    app.approve(asked)
    worked(app)
    assert "approved by key:maria; somebody else's yes is needed too" in json.dumps(only(server))
    second = secrets_of(only(server))
    assert second
    assert second != first
    app.approve(asked, SECOND)
    worked(app)
    assert "approved by key:maria and key:ben" in only(server)["text"]


def test_a_question_that_is_asked_again_is_another_message(app: Trouble, server: SlackServer) -> None:
    asked = asked_in(app)
    service.renew(app.workspace, OPERATOR, asked.id)
    worked(app)
    first, second = server.messages.values()
    assert "asked again: a newer message has what is true now" in first["text"]
    assert secrets_of(first) == {}
    assert len(secrets_of(second)) == 2


def test_what_was_decided_before_slack_was_told_is_not_asked(app: Trouble, server: SlackServer) -> None:
    asked = app.proposed()
    app.approve(asked)
    worked(app)
    assert server.calls == []


def test_slack_that_is_away_is_asked_again_and_one_that_refuses_is_not(app: Trouble, server: SlackServer) -> None:
    server.answers = [(500, b""), (429, b""), (200, b'{"ok": false, "error": "ratelimited"}')]
    asked = asked_in(app)
    for delay_s in (5, 30, 120):
        assert server.messages == {}
        app.clock.advance(delay_s)
        worked(app)
    assert len(secrets_of(only(server))) == 2
    server.answers = [(200, b'{"ok": false, "error": "<script>"}')]
    app.approve(asked)
    worked(app)
    with app.workspace.reading(VIEWER) as uow:
        (failed,) = [each for each in audit.listed(uow) if each.action == "remediation.message_failed"]
    assert failed.detail["said"] == "Slack refuses chat.update: an error without a name"
    calls = len(server.calls)
    worked(app)
    assert len(server.calls) == calls


def test_a_job_that_is_killed_while_it_posts_goes_on_and_another_one_waits(app: Trouble, server: SlackServer) -> None:
    asked = app.proposed()
    deliver_due(app.workspace)
    with app.workspace.reading(VIEWER) as uow:
        (job, _lapse) = sorted(
            (each for each in jobs.listed(uow) if each.kind == showing.KIND), key=lambda each: each.id
        )
    with app.workspace.writing(OPERATOR) as uow:
        uow.session.execute(text("UPDATE remediation_messages SET shown_by = :job"), {"job": job.id})
    app.approve(asked)  # its job finds the message in another's hands
    worked(app)
    app.clock.advance(6)
    worked(app)
    assert [each for each in server.messages.values() if secrets_of(each)] == []
