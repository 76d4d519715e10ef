from __future__ import annotations

from opsloop.core.errors import Kind
from opsloop.flows.errors import NodeFailed, NodeRefused, NodeTimedOut, NodeUnavailable
from opsloop.gateway.spoken import spoken

SECRET = "postgres://svc:hunter2@db"


def test_a_caller_does_not_hear_what_a_node_said_when_it_failed() -> None:
    error = NodeFailed(node="passages", flow="answer", reason=f"Away: {SECRET}", where=" (passages.py, line 3)")
    heard = spoken(error, "req_1")
    assert heard.sentence == "node 'passages' failed; whoever runs it finds it under request req_1"
    assert SECRET not in str(heard.facts)


def test_a_node_that_is_away_stays_worth_another_try() -> None:
    heard = spoken(NodeUnavailable(node="model", flow="answer", reason=SECRET), "req_1")
    assert heard.kind is Kind.UNAVAILABLE
    assert SECRET not in heard.sentence


def test_other_errors_are_heard_as_they_are() -> None:
    error = NodeTimedOut(node="model", flow="answer", timeout_s=30)
    assert spoken(error, "req_1") is error


def test_what_an_author_says_to_the_caller_is_heard() -> None:
    error = NodeRefused(node="read", flow="report", reason="month is 'May'; wanted a month such as 2025-06")
    assert spoken(error, "req_1").sentence == "month is 'May'; wanted a month such as 2025-06"
