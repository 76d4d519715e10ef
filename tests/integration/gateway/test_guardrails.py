"""What a policy does to requests and answers on their way, whole and streamed; what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from opsloop.core.errors import InvalidInput
from opsloop.guardrails.models import Action, Finding, Hit
from opsloop.guardrails.screens.registry import known
from opsloop.guardrails.screens.screen import Screen
from opsloop.guardrails.support import service as support
from opsloop.guardrails.support.models import CaseState
from opsloop.monitoring import metrics
from opsloop.releases import service as releases
from tests.integration.gateway.world import ECHO, OPERATOR, STREAMING_DAG, Live, Shop, ask

Start = Callable[[], Live]
CARD, MAIL = "4111 1111 1111 1111", "maria.lopez@example.com"
SAYS_MAIL = f"""
def answer(question: str, chat_history: list) -> dict:
    return {{"answer": "write to {MAIL}", "citations": [{{"quote": "see {MAIL}", "start": 1}}], "abstained": False}}
"""
STREAMS_MAIL = f"""
def answer(question: str):
    yield from "Write to {MAIL} or pay by {CARD}. That is all we know about it."
"""
ASKS_FOR_A_PERSON = """
def answer(question: str) -> dict:
    return {"answer": "I do not know.", "escalate": "person" in question}
"""
ESCALATING_DAG = """
inputs:
  question: {type: string, is_chat_input: true}
outputs:
  answer: {type: string, reference: "${answer.output.answer}", is_chat_output: true}
  escalate: {type: bool, reference: "${answer.output.escalate}"}
nodes:
- name: answer
  type: python
  source: {type: code, path: answer.py}
  inputs: {question: "${inputs.question}"}
"""


def content(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    text: str = answer.json()["choices"][0]["message"]["content"]
    return text


def events(answer: httpx.Response) -> list[Any]:
    lines = [line[6:] for line in answer.text.split("\n\n") if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def streamed(http: httpx.Client, live: Live, question: str = "why?") -> tuple[str, list[Any]]:
    found = events(ask(http, live, question, stream=True))
    return "".join(each["choices"][0]["delta"].get("content", "") for each in found if each.get("choices")), found


def test_a_new_endpoint_takes_personal_data_out_of_its_answers(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(SAYS_MAIL)
    running = live()
    answer = ask(http, running, f"I am {MAIL}")
    assert content(answer) == "write to [EMAIL]"
    assert answer.json()["choices"][0]["message"]["opsloop"]["citations"] == [{"quote": "see [EMAIL]", "start": 1}]
    running.drain()
    (record,) = shop.records()
    assert record.hits == (Hit("email", "request", Action.FLAG), Hit("email", "answer", Action.REDACT, 2))
    assert record.guarded
    assert MAIL not in repr(record)


def test_what_is_redacted_in_a_request_never_reaches_the_flow(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.guard({"requests": {"pii": "redact"}})
    shop.release(ECHO)
    answer = ask(
        http,
        live(),
        messages=[
            {"role": "user", "content": f"I am {MAIL}"},
            {"role": "assistant", "content": "hello"},
            {"role": "user", "content": f"my card is {CARD}"},
        ],
    )
    assert content(answer) == "flow-1 says my card is [PAYMENT_CARD] after ['I am [EMAIL]/hello']"


def test_a_blocked_request_is_refused_by_kind_and_not_by_value(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.guard({"requests": {"payment_card": "block"}})
    shop.release(ECHO)
    running = live()
    refused = ask(http, running, f"charge {CARD}")
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "request_blocked"
    assert "payment_card" in refused.json()["error"]["message"]
    problem = http.post(f"{running.url}/endpoints/chat/invoke", json={"inputs": {"question": f"charge {CARD}"}})
    assert (problem.status_code, problem.json()["type"]) == (422, "urn:opsloop:problem:request-blocked")
    for said in (refused.text, problem.text):
        assert CARD not in said
    running.drain()
    assert [(each.status, each.http_status, each.hits) for each in shop.records()] == [
        ("error", 422, (Hit("payment_card", "request", Action.BLOCK),))
    ] * 2


def test_a_refused_request_is_no_fault_of_a_candidate(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.guard({"requests": {"payment_card": "block"}})
    shop.release(ECHO)
    shop.canary(ECHO)
    running = live()
    assert ask(http, running, f"charge {CARD}").status_code == 400
    running.drain()
    (record,) = shop.records()
    assert (record.arm, record.shielded, record.http_status) == ("candidate", False, 422)


def test_a_withheld_answer_is_a_failure_that_stable_stands_in_for(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.guard({"answers": {"email": "block"}})
    shop.release(ECHO)
    shop.canary(SAYS_MAIL)
    running = live()
    assert content(ask(http, running)).startswith("flow-1 says")
    running.drain()
    failed, answered = sorted(shop.records(), key=lambda each: each.arm)
    assert (failed.arm, failed.error_type, failed.shielded) == ("candidate", "AnswerBlocked", True)
    assert failed.hits == (Hit("email", "answer", Action.BLOCK, 2),)
    assert (answered.arm, answered.hits) == ("stable", ())


def test_a_withheld_answer_says_so_without_the_value(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.guard({"answers": {"email": "block"}})
    shop.release(SAYS_MAIL)
    answer = ask(http, live())
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "answer_blocked")
    assert MAIL not in answer.text


def test_a_stream_is_redacted_across_its_pieces(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(STREAMS_MAIL, dag=STREAMING_DAG)
    running = live()
    text, found = streamed(http, running)
    assert text == "Write to [EMAIL] or pay by [PAYMENT_CARD]. That is all we know about it."
    assert MAIL not in json.dumps(found)
    invoked = http.post(
        f"{running.url}/endpoints/chat/invoke",
        json={"inputs": {"question": "why?"}},
        headers={"accept": "text/event-stream"},
    )
    assert "lopez" not in invoked.text
    running.drain()
    for record in shop.records():
        assert record.hits == (
            Hit("email", "answer", Action.REDACT),
            Hit("payment_card", "answer", Action.REDACT),
        )


def test_a_blocked_stream_breaks_off_before_the_value(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.guard({"answers": {"payment_card": "block", "email": "redact"}})
    shop.release(STREAMS_MAIL, dag=STREAMING_DAG)
    running = live()
    text, found = streamed(http, running)
    assert text == "Write to [EMAIL] or pay by "
    assert found[-1]["error"]["code"] == "answer_blocked"
    running.drain()
    (record,) = shop.records()
    assert (record.status, record.error_type) == ("error", "AnswerBlocked")
    assert Hit("payment_card", "answer", Action.BLOCK) in record.hits


def test_what_is_only_flagged_goes_through_and_is_counted(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.guard({"requests": {"email": "flag"}})
    shop.release(ECHO)
    running = live()
    before = metrics.REGISTRY.get_sample_value(*_counter("email")) or 0
    assert MAIL in content(ask(http, running, f"I am {MAIL}"))
    assert metrics.REGISTRY.get_sample_value(*_counter("email")) == before + 1
    running.drain()
    (record,) = shop.records()
    assert not record.guarded


def _counter(kind: str) -> tuple[str, dict[str, str]]:
    return "guardrail_hits_total", {"endpoint": "chat", "kind": kind, "direction": "request", "action": "flag"}


def test_an_organisations_own_addresses_may_pass(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.guard({"answers": {"pii": "redact"}, "allow": ["*@example.com"]})
    shop.release(SAYS_MAIL)
    assert content(ask(http, live())) == f"write to {MAIL}"


def test_gateways_follow_a_change_of_policy(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.guard({})
    shop.release(SAYS_MAIL)
    running = live()
    assert content(ask(http, running)) == f"write to {MAIL}"
    shop.guard({"answers": {"email": "redact"}})
    running.gateway._serving.routes.refresh()
    assert content(ask(http, running)) == "write to [EMAIL]"


def test_a_release_can_only_make_the_policy_stricter(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.guard({"answers": {"email": "redact"}})
    flow = shop.flow(SAYS_MAIL)
    with shop.workspace.writing(OPERATOR) as uow:
        releases.create_release(
            uow,
            "chat",
            flow=flow,
            config={"guardrails": {"answers": {"email": "allow"}, "requests": {"payment_card": "block"}}},
        )
    running = live()
    assert content(ask(http, running)) == "write to [EMAIL]"
    assert ask(http, running, f"charge {CARD}").json()["error"]["code"] == "request_blocked"


def test_a_release_with_guardrails_that_are_none_is_refused(shop: Shop) -> None:
    flow = shop.flow(ECHO)
    with (
        pytest.raises(InvalidInput, match=r"config\.guardrails\.answers\.emial is not known; did you mean 'email'"),
        shop.workspace.writing(OPERATOR) as uow,
    ):
        releases.create_release(uow, "chat", flow=flow, config={"guardrails": {"answers": {"emial": "redact"}}})


def raises(text: str) -> list[Finding]:
    raise RuntimeError(text)


@pytest.mark.parametrize(("action", "status"), [("flag", 200), ("redact", 503), ("block", 503), ("escalate", 503)])
def test_a_screen_that_fails_lets_nothing_through_that_it_was_to_hold_back(
    shop: Shop, live: Start, http: httpx.Client, monkeypatch: pytest.MonkeyPatch, action: str, status: int,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setitem(known().screens, "broken", Screen("broken", ("nonsense",), raises))
    shop.guard({"requests": {"nonsense": action}})
    shop.release(ECHO)
    answer = ask(http, live(), "why, Maria?")
    assert answer.status_code == status
    assert answer.status_code == 200 or "guardrail" in answer.json()["error"]["message"]
    counted = metrics.REGISTRY.get_sample_value("guardrail_failures_total", {"endpoint": "chat", "screen": "broken"})
    assert counted is not None
    assert counted >= 1
    logged = capsys.readouterr()
    assert "Maria" not in logged.out + logged.err


def test_a_request_that_is_escalated_gets_a_ticket_instead_of_an_answer(
    shop: Shop, live: Start, http: httpx.Client
) -> None:
    shop.guard({"requests": {"payment_card": "escalate"}, "hand_over": "A colleague answers: {ticket}."})
    shop.release(ECHO)
    running = live()
    answer = ask(http, running, f"charge {CARD}")
    ticket = answer.json()["choices"][0]["message"]["opsloop"]["ticket"]
    assert content(answer) == f"A colleague answers: {ticket['id']}."
    text, found = streamed(http, running, f"charge {CARD}")
    assert text.startswith("A colleague answers: case_")
    assert found[-1]["choices"][0]["delta"]["opsloop"]["ticket"]["token"]
    with shop.workspace.writing(OPERATOR) as uow:
        case = support.get(uow, ticket["id"])
        assert (case.state, case.endpoint, case.kinds) == (CaseState.OPEN, "chat", ("payment_card",))
        assert [each.text for each in case.conversation] == ["charge [PAYMENT_CARD]"]
        support.claim(uow, case.id)
        support.answer(uow, case.id, "Please call us.")
    with shop.workspace.reading(OPERATOR) as uow:
        assert support.of_ticket(uow, ticket["id"], ticket["token"]).answer == "Please call us."
    running.drain()
    assert [each.status for each in shop.records()] == ["ok", "ok"]


def test_an_answer_that_is_escalated_is_handed_over_in_a_stream_too(
    shop: Shop, live: Start, http: httpx.Client
) -> None:
    shop.guard({"answers": {"payment_card": "escalate"}, "hand_over": "Ask {ticket}."})
    shop.release(STREAMS_MAIL, dag=STREAMING_DAG)
    running = live()
    text, _ = streamed(http, running)
    assert text.startswith(f"Write to {MAIL} or pay by \n\nAsk case_")
    assert content(ask(http, running)).startswith("Ask case_")


def test_a_flow_can_ask_for_a_person(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.guard({"hand_over": "Ticket {ticket}"})
    shop.release(ASKS_FOR_A_PERSON, dag=ESCALATING_DAG)
    running = live()
    assert content(ask(http, running)) == "I do not know."
    assert content(ask(http, running, "a person please")).startswith("I do not know.\n\nTicket case_")
    text, _ = streamed(http, running, "a person please")
    assert text.startswith("I do not know.\n\nTicket case_")
    invoked = http.post(f"{running.url}/endpoints/chat/invoke", json={"inputs": {"question": "a person please"}})
    ticket = invoked.json()["ticket"]
    assert invoked.json()["outputs"]["answer"].endswith(ticket["id"])
    with shop.workspace.reading(OPERATOR) as uow:
        case = support.get(uow, ticket["id"])
    assert [(each.role, each.text) for each in case.conversation] == [
        ("user", "a person please"),
        ("assistant", "I do not know."),
    ]
    assert case.why == "the flow asked for a person"
