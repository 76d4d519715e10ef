"""Buttons in Slack, through the door in front of the real application on a port of its own, with real signatures."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import uvicorn
from sqlalchemy import text

from opsloop.core.audit import service as audit
from opsloop.core.events.outbox import deliver_due
from opsloop.core.jobs.inline import run_due
from opsloop.core.notices import service as notices
from opsloop.core.notices.models import Delivery, DeliveryState
from opsloop.monitoring.alerts import declaring
from opsloop.remediation import halts, service
from opsloop.remediation.events import RemediationEnded, RemediationProposed
from opsloop.remediation.models import Remediation, State
from opsloop.remediation.settings import SlackApprover
from opsloop.remediation.slack import asking, showing
from opsloop.server.control_plane import control_plane
from opsloop.server.entrance import Entrance
from tests.integration.incidents.test_hooks import NoEndpoints
from tests.integration.remediation.conftest import OPERATOR, SECOND, VIEWER, Trouble, settle

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
HOOK = "https://hooks.slack.com/services/T0/B0/secret"
UPDATES = "https://hooks.slack.com/actions/T0/1/secret"
APPROVERS = {
    "U1": SlackApprover(name="key:maria"),
    "U2": SlackApprover(name="key:ben"),
    "U3": SlackApprover.model_validate({"name": "key:reader", "role": "viewer"}),
}


@dataclass
class Slack:
    """Slack's side: it has what it was told, and presses buttons."""

    trouble: Trouble
    url: str

    def told(self, kind: str) -> list[Delivery]:
        with self.trouble.workspace.reading(VIEWER) as uow:
            return [each for each in notices.listed(uow) if each.kind == kind]

    def buttons(self) -> dict[str, str]:
        """Of the newest message that asks."""
        query = text("SELECT body FROM deliveries WHERE kind IN (:asked, :answered) ORDER BY created_at, id")
        with self.trouble.workspace.reading(VIEWER) as uow:
            sent = uow.session.scalars(query, {"asked": asking.KIND, "answered": "remediation.answered"})
            bodies = [json.loads(each) for each in sent]
        actions = [block for body in bodies for block in body.get("blocks", ()) if block["type"] == "actions"]
        return {each["text"]["text"]: each["value"] for each in actions[-1]["elements"]}

    def press(
        self, secret: str, *, user: str = "U1", late_s: int = 0, key: str = SECRET, updates: str = UPDATES
    ) -> httpx.Response:
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": "somebody"},
            "actions": [{"action_id": "remediation.approve", "value": secret, "type": "button"}],
            "response_url": updates,
        }
        return self.post(urlencode({"payload": json.dumps(payload)}).encode(), late_s=late_s, key=key)

    def post(self, body: bytes, *, late_s: int = 0, key: str = SECRET) -> httpx.Response:
        second = str(int(self.trouble.clock.now().timestamp()) - late_s)
        mark = hmac.new(key.encode(), b"v0:" + second.encode() + b":" + body, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": second,
            "x-slack-signature": f"v0={mark}",
        }
        return httpx.post(f"{self.url}/webhooks/slack", content=body, headers=headers, timeout=60)


@pytest.fixture
def slack(trouble: Trouble) -> Iterator[Slack]:
    settings: dict[str, Any] = {"remediation_slack_signing_secret": SECRET, "remediation_slack_approvers": APPROVERS}
    settle(trouble.workspace, **settings)
    app = Entrance(trouble.workspace, NoEndpoints(), control_plane(trouble.workspace), listens_on_loopback=False)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield Slack(trouble, f"http://127.0.0.1:{listener.getsockname()[1]}")
    server.should_exit = True
    thread.join(20)
    listener.close()


def asked_in(slack: Slack, *, again: Remediation | None = None) -> Remediation:
    """A repair waits, and Slack was told of it."""
    trouble = slack.trouble
    with trouble.workspace.writing(OPERATOR) as uow:
        declaring.declare(uow, "channels", "team", {"slack": HOOK})
        declaring.declare(uow, "channels", "other", {"slack": HOOK, "rules": ["drift"]})
        declaring.declare(uow, "channels", "hook", {"webhook": "https://hooks.example.com/x"})
    if again is None:
        trouble.begin()
    asked = again or trouble.proposed()
    event = RemediationProposed(asked.id, "", asked.playbook, "chat", 4, waits=True, sentence="it would")
    for _ in range(2):  # an event may be delivered twice
        with trouble.workspace.writing(OPERATOR) as uow:
            asking.on_proposed(uow, event)
    return asked


def test_a_press_of_somebody_who_may_is_a_yes_on_the_record(slack: Slack) -> None:
    asked = asked_in(slack)
    (told,) = slack.told(asking.KIND)
    assert told.to == "https://hooks.slack.com"
    assert asked.digest[:16] not in told.body
    pair = slack.buttons()
    assert not any(secret in told.body for secret in pair.values())
    assert told.body.count(notices.HIDDEN) == 2
    answer = slack.press(slack.buttons()["Approve"])
    assert (answer.status_code, answer.json()) == (200, {"text": "approved by key:maria"})
    found = slack.trouble.get(asked)
    assert found.state is State.APPROVED
    assert [(each.by, each.is_yes, each.reason) for each in found.votes] == [("key:maria", True, "in Slack")]
    (updated,) = slack.told("remediation.answered")
    body = json.loads(updated.body)
    assert body["replace_original"]
    assert "approved by key:maria" in body["text"]
    assert all(block["type"] != "actions" for block in body["blocks"])
    slack.trouble.step(asked)
    assert slack.trouble.serves() == 1


def test_the_other_button_is_a_no(slack: Slack) -> None:
    asked = asked_in(slack)
    assert slack.press(slack.buttons()["Reject"], user="U2").json() == {"text": "rejected by key:ben"}
    assert slack.trouble.get(asked).outcome == "rejected by key:ben: in Slack"


def test_a_button_is_good_once_and_voids_its_twin(slack: Slack) -> None:
    asked = asked_in(slack)
    pair = slack.buttons()
    slack.press(pair["Approve"])
    for secret in (pair["Approve"], pair["Reject"], "guessed", "", "\0", "\ud83d\ude00"):
        assert "good no more" in slack.press(secret, user="U2").json()["text"], secret
    assert len(slack.trouble.get(asked).votes) == 1


def test_of_two_who_press_at_once_one_is_taken(slack: Slack) -> None:
    asked = asked_in(slack)
    secret = slack.buttons()["Approve"]
    with ThreadPoolExecutor(4) as pool:
        users = ("U1", "U2", "U1", "U2")
        said = [each.json()["text"] for each in pool.map(lambda user: slack.press(secret, user=user), users)]
    assert sum(each.startswith("approved by") for each in said) == 1
    assert sum("good no more" in each for each in said) == 3
    assert len(slack.trouble.get(asked).votes) == 1


def test_what_slack_did_not_sign_now_is_refused(slack: Slack) -> None:
    asked = asked_in(slack)
    secret = slack.buttons()["Approve"]
    assert slack.press(secret, late_s=301).status_code == 401
    assert slack.press(secret, key="another").status_code == 401
    assert httpx.post(f"{slack.url}/webhooks/slack", content=b"payload={}").status_code == 401
    assert slack.trouble.get(asked).votes == ()
    settle(slack.trouble.workspace)
    assert slack.press(secret).status_code == 401
    assert slack.press(secret, key="").status_code == 401


def test_who_is_not_known_or_may_not_is_told_so_and_the_button_stays_good(slack: Slack) -> None:
    asked = asked_in(slack)
    secret = slack.buttons()["Approve"]
    assert "You are not among those who decide" in slack.press(secret, user="U9").json()["text"]
    assert "this needs operator" in slack.press(secret, user="U3").json()["text"]
    whispers = [json.loads(each.body) for each in slack.told("remediation.answered")]
    assert all(each["response_type"] == "ephemeral" and not each["replace_original"] for each in whispers)
    assert slack.trouble.get(asked).votes == ()
    with slack.trouble.workspace.reading(VIEWER) as uow:
        refused = [each for each in audit.listed(uow) if each.action == "remediation.answer_refused"]
    assert len(refused) == 2
    assert slack.press(secret).json()["text"] == "approved by key:maria"


def test_what_was_decided_elsewhere_or_changed_voids_the_buttons(slack: Slack) -> None:
    asked = asked_in(slack)
    first = slack.buttons()["Approve"]
    again = service.renew(slack.trouble.workspace, OPERATOR, asked.id)
    assert "is not what was shown" in slack.press(first).json()["text"]
    asked_in(slack, again=again)
    second = slack.buttons()["Approve"]
    assert second != first
    slack.trouble.approve(again, SECOND)
    assert "there is nothing to decide" in slack.press(second).json()["text"]
    with slack.trouble.workspace.writing(OPERATOR) as uow:
        asking.on_ended(uow, RemediationEnded(asked.id, "", "roll-back-release", "chat", "void", ""))
    assert "good no more" in slack.press(second).json()["text"]
    assert [each.by for each in slack.trouble.get(asked).votes] == ["key:ben"]


def test_a_button_lapses_with_its_question_and_is_held_by_the_kill_switch(slack: Slack) -> None:
    asked = asked_in(slack)
    secret = slack.buttons()["Approve"]
    with slack.trouble.workspace.writing(SECOND) as uow:
        halts.begin(uow, reason="a migration goes on")
    assert "repairs are halted by key:ben" in slack.press(secret).json()["text"]
    slack.trouble.clock.advance(901)
    assert "lapsed" in slack.press(secret).json()["text"]
    assert slack.trouble.get(asked).votes == ()


def test_two_people_are_two_also_when_one_of_them_is_in_slack(slack: Slack) -> None:
    settings: dict[str, Any] = {"remediation_slack_signing_secret": SECRET, "remediation_slack_approvers": APPROVERS}
    settle(slack.trouble.workspace, remediation_four_eyes=["*"], **settings)
    asked = asked_in(slack)
    first = slack.buttons()["Approve"]
    slack.press(first)
    second = slack.buttons()["Approve"]
    assert second != first
    assert "key:maria approved" in slack.press(second).json()["text"]
    assert slack.press(second, user="U2").json()["text"] == "approved by key:ben"
    assert slack.trouble.get(asked).state is State.APPROVED


@pytest.mark.parametrize(
    "updates",
    [
        "http://hooks.slack.com/actions/1",
        "https://hooks.slack.com.evil.example/1",
        "https://evil.example/hooks.slack.com",
        "https://hooks.slack.com@evil.example/1",
        "https://hooks.slack.com:8443/1",
        "https://evil.example\\@hooks.slack.com/",
        "https://hooks.slack.com:x/",
        "http://127.0.0.1:1/",
        "",
    ],
)
def test_only_slack_is_told_what_came_of_it(slack: Slack, updates: str) -> None:
    asked_in(slack)
    assert slack.press(slack.buttons()["Approve"], updates=updates).status_code == 200
    assert slack.told("remediation.answered") == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"payload",
        b"other=1",
        b"payload=",
        b"payload=[]",
        b"payload=%7B%22type%22%3A1%7D",
        b"payload=" + b"%5B" * 30_000,
        b"\xff=\xff",
        b"&".join(b"a%d=1" % number for number in range(100)),
    ],
)
def test_a_body_of_another_form_is_named(slack: Slack, body: bytes) -> None:
    assert slack.post(body).status_code == 422


def test_other_interactions_are_none_of_ours(slack: Slack) -> None:
    for payload in ({"type": "view_submission"}, {"type": "block_actions", "user": {"id": "U1"}, "actions": []}):
        answer = slack.post(urlencode({"payload": json.dumps(payload)}).encode())
        assert (answer.status_code, answer.json()) == (200, {"text": ""})


def test_without_a_signing_secret_nobody_is_asked(slack: Slack) -> None:
    settle(slack.trouble.workspace)
    asked_in(slack)
    assert slack.told(asking.KIND) == []


def test_what_is_kept_of_a_message_holds_no_secret_once_it_is_sent(slack: Slack) -> None:
    asked_in(slack)
    (asked,) = slack.told(asking.KIND)
    pair = slack.buttons()
    with slack.trouble.workspace.writing(OPERATOR) as uow:
        notices.end(uow, notices.row_of(uow, asked.id), DeliveryState.DELIVERED)
        body = str(uow.session.scalar(text("SELECT body FROM deliveries WHERE id = :id"), {"id": asked.id}))
    assert not any(secret in body for secret in pair.values())
    assert slack.press(pair["Approve"]).json()["text"] == "approved by key:maria"


def test_a_webhook_is_told_in_a_second_message_what_was_decided_elsewhere(slack: Slack) -> None:
    asked = asked_in(slack)
    with slack.trouble.workspace.writing(SECOND) as uow:
        service.reject(uow, asked.id, reason="a test of ours")
    for _ in range(2):
        followed(slack)
    (told,) = slack.told(showing.FOLLOWED)
    body = json.loads(told.body)
    assert "rejected: rejected by key:ben: a test of ours. The buttons above are good no more" in body["text"]
    assert all(block["type"] != "actions" for block in body["blocks"])


def test_a_webhook_whose_button_was_pressed_is_told_once(slack: Slack) -> None:
    asked_in(slack)
    slack.press(slack.buttons()["Approve"])
    followed(slack)
    assert slack.told(showing.FOLLOWED) == []
    assert len(slack.told("remediation.answered")) == 1


def test_a_webhook_is_told_that_nobody_answered_and_of_a_halt(slack: Slack) -> None:
    asked_in(slack)
    with slack.trouble.workspace.writing(SECOND) as uow:
        halts.begin(uow, reason="a migration goes on")
    followed(slack)
    with slack.trouble.workspace.writing(SECOND) as uow:
        halts.end(uow)
    slack.trouble.clock.advance(901)
    followed(slack)
    said = [json.loads(each.body)["text"] for each in reversed(slack.told(showing.FOLLOWED))]
    assert "repairs are halted by key:ben: a migration goes on. The buttons above do nothing while" in said[0]
    assert "nobody said yes in time" in said[1]
    assert len(said) == 2


def followed(slack: Slack) -> None:
    """Events are delivered, and the jobs that they ask for are done."""
    deliver_due(slack.trouble.workspace)
    run_due(slack.trouble.workspace, kind=showing.KIND)
