"""A candidate that fails: who sees it, and what the records say."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from opsloop.core.settings import CoreSettings
from opsloop.monitoring import traffic
from opsloop.releases import service as releases
from tests.integration.gateway.world import ECHO, FAILS, HANGS, OPERATOR, STREAMING_DAG, STREAMS, Live, Shop, ask

Start = Callable[[], Live]
WANTS_MORE = STREAMING_DAG.replace("inputs:\n  question", "inputs:\n  tenant: {type: string}\n  question", 1)
FAILS_AT_ONCE = """
def answer(question: str):
    raise ValueError("NAME is broken")
    yield ""
"""


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> CoreSettings:
    monkeypatch.setenv("OPSLOOP_GATEWAY_TIMEOUT_S", "2")
    return CoreSettings(data_dir=tmp_path_factory.mktemp("data"))


def test_stable_answers_when_the_candidate_fails_and_both_are_recorded(
    shop: Shop, live: Start, http: httpx.Client
) -> None:
    shop.release(ECHO)
    rollout = shop.canary(FAILS)
    running = live()
    answer = ask(http, running)
    assert answer.status_code == 200
    message = answer.json()["choices"][0]["message"]
    assert message["content"].startswith("flow-1 says")
    assert message["opsloop"]["arm"] == "stable"
    running.drain()
    attempt, shown = shop.records()
    assert (attempt.arm, attempt.status, attempt.shielded, attempt.rollout) == ("candidate", "error", True, rollout)
    assert (attempt.error_type, attempt.http_status) == ("NodeFailed", 500)
    assert (shown.arm, shown.status, shown.shielded, shown.rollout) == ("stable", "ok", False, None)
    assert attempt.subject == shown.subject
    assert attempt.request_id == f"{shown.request_id}~candidate"
    assert shown.request_id == message["opsloop"]["request_id"]
    with shop.workspace.reading(OPERATOR) as uow:
        found = traffic.summary(uow, "chat", 60)
    assert found.requests == 1


def test_without_a_shield_the_caller_sees_the_failure(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    shop.canary(FAILS, shield=False)
    running = live()
    assert ask(http, running).status_code == 500
    running.drain()
    (record,) = shop.records()
    assert (record.arm, record.status, record.shielded) == ("candidate", "error", False)


def test_a_candidate_that_hangs_is_shielded_after_its_time(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    shop.canary(HANGS)
    running = live()
    assert ask(http, running).status_code == 200
    running.drain()
    attempt, shown = shop.records()
    assert (attempt.error_type, attempt.http_status) == ("AnswerTimedOut", 504)
    assert attempt.duration_ms >= 2_000
    assert shown.status == "ok"
    assert shown.duration_ms < attempt.duration_ms


def test_a_stream_is_shielded_until_its_first_byte(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(STREAMS, dag=STREAMING_DAG)
    shop.canary(FAILS_AT_ONCE, dag=STREAMING_DAG)
    running = live()
    answer = ask(http, running, stream=True)
    assert "three" in answer.text
    assert answer.text.endswith("data: [DONE]\n\n")
    running.drain()
    assert [(record.arm, record.status, record.streamed) for record in shop.records()] == [
        ("candidate", "error", True),
        ("stable", "ok", True),
    ]


def test_a_request_that_only_the_candidate_refuses_is_the_candidates_fault(
    shop: Shop, live: Start, http: httpx.Client
) -> None:
    shop.release(STREAMS, dag=STREAMING_DAG)
    shop.canary(STREAMS, dag=WANTS_MORE)
    running = live()
    assert ask(http, running).status_code == 200
    running.drain()
    attempt, shown = shop.records()
    assert (attempt.error_type, attempt.http_status) == ("InputInvalid", 500)
    assert shown.status == "ok"


def test_a_request_that_both_refuse_is_the_callers_fault(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    shop.canary(ECHO)
    running = live()
    answer = http.post(f"{running.url}/endpoints/chat/invoke", json={"inputs": {}})
    assert answer.status_code == 422
    running.drain()
    assert [(record.arm, record.http_status, record.status) for record in shop.records()] == [
        ("candidate", 422, "error"),
        ("stable", 422, "error"),
    ]


def test_a_candidate_that_cannot_be_loaded_harms_nobody(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    # It reads as a flow and fails when its Python is imported.
    shop.canary("def answer(question: str, chat_history: list) -> dict: ...\n\n\nraise ImportError('no such thing')\n")
    running = live()
    assert ask(http, running).status_code == 200
    running.drain()
    attempt, shown = shop.records()
    assert (attempt.error_type, attempt.http_status, shown.status) == ("ReleaseUnusable", 503, "ok")


def test_subjects_stay_in_their_arm_and_split_by_the_share(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    shop.canary(ECHO, share=0.5)
    running = live()
    for _ in range(2):
        for number in range(40):
            assert ask(http, running, user=f"user-{number}").status_code == 200
    running.drain()
    arms: dict[str, set[str]] = {}
    for record in shop.records():
        arms.setdefault(record.subject, set()).add(record.arm)
    assert len(arms) == 40
    assert all(len(found) == 1 for found in arms.values())
    assert {arm for found in arms.values() for arm in found} == {"stable", "candidate"}


def test_a_roll_back_reaches_the_gateway_by_the_bell(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    shop.canary(ECHO)
    running = live()
    assert ask(http, running).json()["choices"][0]["message"]["opsloop"]["arm"] == "candidate"
    with shop.workspace.writing(OPERATOR) as uow:
        releases.roll_back(uow, "chat")
    running.gateway._serving.routes.refresh()
    assert ask(http, running).json()["choices"][0]["message"]["opsloop"]["arm"] == "stable"


def test_a_release_made_a_moment_ago_is_served(shop: Shop, live: Start, http: httpx.Client) -> None:
    running = live()
    assert ask(http, running).status_code == 503
    shop.release(ECHO)
    assert ask(http, running).status_code == 200
    shop.endpoint("second")
    shop.release(ECHO, endpoint="second")
    assert ask(http, running, model="second").status_code == 200
