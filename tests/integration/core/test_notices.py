"""Notices: delivered once they are committed, signed, tried again on the clock, erased of their secrets at the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.inline import run_due
from opsloop.core.notices import jobs as notice_jobs
from opsloop.core.notices import sending, service, signatures
from opsloop.core.notices._tables import DeliveryRow
from opsloop.core.notices.errors import AddressInvalid, DeliveryMissing
from opsloop.core.notices.models import Delivery, DeliveryState
from opsloop.core.notices.sending import Answer
from opsloop.core.workspace import Workspace

assert notice_jobs  # registers the job
URL = "https://hooks.example.com/services/T0/B0/very-secret"


@dataclass
class Receiver:
    """The other side: answers as it is told to, and keeps what came."""

    answers: list[Answer] = field(default_factory=list)
    came: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)

    def send(self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float) -> Answer:
        self.came.append((url, body, dict(headers)))
        return self.answers.pop(0) if self.answers else Answer(200, None)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    found = Receiver()
    monkeypatch.setattr(sending, "send", found.send)
    return found


def deliver(workspace: Workspace, by: Caller, url: str = URL, **more: Any) -> Delivery:
    with workspace.writing(by) as uow:
        return service.deliver(uow, url, {"run": "training_1", "mse": 0.5}, kind="training.finished", **more)


def state(workspace: Workspace, by: Caller, delivery: str) -> Delivery:
    with workspace.reading(by) as uow:
        return service.get(uow, delivery)


def test_a_notice_is_signed_and_delivered(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    made = deliver(workspace, admin, secret="s3cret", about="pipeline/iris")
    assert (made.state, made.to) == (DeliveryState.PENDING, "https://hooks.example.com")
    assert receiver.came == []
    assert run_due(workspace) == 1
    [(url, body, headers)] = receiver.came
    assert url == URL
    assert json.loads(body) == {"run": "training_1", "mse": 0.5}
    assert (headers["X-Opsloop-Delivery"], headers["X-Opsloop-Event"]) == (made.id, "training.finished")
    assert signatures.is_stamped("s3cret", body, headers[signatures.HEADER], clock.now())
    found = state(workspace, admin, made.id)
    assert (found.state, found.attempts, found.status, found.error) == (DeliveryState.DELIVERED, 1, 200, None)


def test_what_fails_is_tried_again_later_each_time_and_given_up_after_nine_attempts(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    receiver.answers = [Answer(500, "answered 500")] * 9
    made = deliver(workspace, admin)
    run_due(workspace)
    for number, delay_s in enumerate(service.DELAYS_S, start=1):
        assert state(workspace, admin, made.id).attempts == number
        clock.advance(delay_s - 1)
        assert run_due(workspace) == 0
        clock.advance(1)
        assert run_due(workspace) == 1
    found = state(workspace, admin, made.id)
    assert (found.state, found.attempts, found.error) == (DeliveryState.FAILED, 9, "answered 500")
    assert len({headers["X-Opsloop-Delivery"] for _, _, headers in receiver.came}) == 1
    clock.advance(86_400)
    assert run_due(workspace) == 0


def test_a_receiver_that_says_when_is_asked_then(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    receiver.answers = [Answer(429, "answered 429", retry_after_s=100.0)]
    made = deliver(workspace, admin)
    run_due(workspace)
    clock.advance(99)
    assert run_due(workspace) == 0
    clock.advance(1)
    run_due(workspace)
    assert state(workspace, admin, made.id).state is DeliveryState.DELIVERED


def test_an_address_that_is_gone_is_not_tried_again(workspace: Workspace, admin: Caller, receiver: Receiver) -> None:
    receiver.answers = [Answer(410, "answered 410")]
    made = deliver(workspace, admin)
    run_due(workspace)
    assert state(workspace, admin, made.id).state is DeliveryState.FAILED


def test_secrets_are_in_no_job_and_erased_when_the_delivery_is_over(
    workspace: Workspace, admin: Caller, receiver: Receiver
) -> None:
    made = deliver(workspace, admin, secret="s3cret")
    with workspace.reading(admin) as uow:
        assert "secret" not in repr(jobs.listed(uow)) + repr(service.listed(uow))
    run_due(workspace)
    with workspace.reading(admin) as uow:
        row = uow.session.get_one(DeliveryRow, made.id)
        assert (row.url, row.secret) == (None, None)


def test_a_reference_to_the_environment_is_looked_up_at_each_attempt(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = deliver(workspace, admin, "${env:SLACK_WEBHOOK}", secret="${env:HOOK_SECRET}")
    run_due(workspace)
    found = state(workspace, admin, made.id)
    assert found.error is not None
    assert "environment variable SLACK_WEBHOOK is not set" in found.error
    monkeypatch.setenv("SLACK_WEBHOOK", URL)
    monkeypatch.setenv("HOOK_SECRET", "s3cret")
    clock.advance(5)
    run_due(workspace)
    [(url, body, headers)] = receiver.came
    assert url == URL
    assert signatures.is_stamped("s3cret", body, headers[signatures.HEADER], clock.now())


def test_asking_twice_under_one_id_delivers_once(workspace: Workspace, admin: Caller, receiver: Receiver) -> None:
    assert deliver(workspace, admin, id="training_1.notice") == deliver(workspace, admin, id="training_1.notice")
    run_due(workspace)
    assert deliver(workspace, admin, id="training_1.notice").state is DeliveryState.DELIVERED
    assert run_due(workspace) == 0
    assert len(receiver.came) == 1


def test_deliveries_are_forgotten_a_month_after_they_ended(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    old = deliver(workspace, admin)
    run_due(workspace)
    clock.advance(service.KEPT.total_seconds() + 1)
    new = deliver(workspace, admin)
    run_due(workspace)
    with workspace.reading(admin) as uow:
        assert [each.id for each in service.listed(uow)] == [new.id]
        with pytest.raises(DeliveryMissing):
            service.get(uow, old.id)


def test_a_wrong_address_is_refused_at_once(workspace: Workspace, admin: Caller) -> None:
    with pytest.raises(AddressInvalid, match="wanted an http"):
        deliver(workspace, admin, "slack")
