from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.incidents.topology.deriving import steps
from opsloop.incidents.topology.places import called
from opsloop.monitoring.telemetry.spans import StoredSpan


def span(
    id: str,
    parent: str | None = None,
    service: str = "opsloop",
    kind: str = "internal",
    status: str = "ok",
    **said: Any,
) -> StoredSpan:
    attributes = {name.replace("__", "."): value for name, value in said.items()}
    return StoredSpan(int(id), "t", id, parent, f"span {id}", kind, service, 1_000 * int(id), 500, status, attributes)


def pairs(*spans: StoredSpan) -> list[tuple[str, str, bool]]:
    return [(each.caller, each.callee, each.failed) for each in steps(spans)]


def test_an_endpoint_calls_its_provider_and_its_collection() -> None:
    found = pairs(
        span("1", kind="server", opsloop__endpoint="chat"),
        span("2", "1"),
        span("3", "2", kind="client", gen_ai__operation__name="retrieval", gen_ai__data_source__id="docs"),
        span("4", "1"),
        span(
            "5",
            "4",
            kind="client",
            status="error",
            gen_ai__operation__name="chat",
            server__address="127.0.0.1",
            server__port=8080,
        ),
    )
    assert found == [("endpoint:chat", "collection:docs", False), ("endpoint:chat", "provider:127.0.0.1:8080", True)]


def test_services_call_each_other_through_client_spans_that_are_answered_once() -> None:
    found = pairs(
        span("1", service="shop", kind="server"),
        span("2", "1", service="shop", kind="client", server__address="cart.local"),
        span("3", "2", service="cart", kind="server", status="error"),
        span("4", "3", service="cart", kind="client", db__system="postgresql", db__name="orders"),
    )
    assert found == [("service:shop", "service:cart", True), ("service:cart", "database:postgresql/orders", False)]


def test_a_service_that_asks_an_endpoint_is_its_caller() -> None:
    found = pairs(
        span("1", service="shop", kind="client", server__address="opsloop.local"),
        span("2", "1", kind="server", opsloop__endpoint="chat"),
    )
    assert found == [("service:shop", "endpoint:chat", False)]


def test_spans_that_came_without_their_parents_show_nothing() -> None:
    assert pairs(span("3", "2", service="cart", kind="server")) == []


@pytest.mark.parametrize(
    ("said", "callee"),
    [
        ({"peer__service": "billing", "server__address": "10.0.0.7"}, "service:billing"),
        ({"gen_ai__provider__name": "azure"}, "provider:azure"),
        (
            {"gen_ai__request__model": "m", "server__address": "api.openai.com", "server__port": 443},
            "provider:api.openai.com",
        ),
        ({"db__system__name": "redis"}, "database:redis"),
        ({"messaging__destination__name": "mails"}, "queue:mails"),
        ({"server__address": "api.example.com"}, "host:api.example.com"),
        ({"server__address": 7}, None),
        ({}, None),
    ],
)
def test_an_outward_span_names_what_it_calls(said: dict[str, Any], callee: str | None) -> None:
    assert called(span("1", kind="client", **said)) == callee
    assert called(span("1", kind="server", **said)) is None


@given(
    st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8), st.sampled_from(("opsloop", "shop", "cart"))), max_size=8)
)
def test_spans_in_any_order_and_in_circles_come_to_an_end(given: list[tuple[int, int, str]]) -> None:
    spans = [span(str(id), str(parent), service) for id, parent, service in given]
    assert all(caller != callee for caller, callee, _ in pairs(*spans))
