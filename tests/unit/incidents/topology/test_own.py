from __future__ import annotations

from typing import Any

from opsloop.incidents.topology.own import Visit, Way, visits, ways
from opsloop.monitoring.telemetry.spans import StoredSpan


def span(
    id: str,
    parent: str | None,
    service: str,
    start_ms: int,
    took_ms: int,
    *,
    kind: str = "server",
    failed: bool = False,
    **said: Any,
) -> StoredSpan:
    attributes = {name.replace("__", "."): value for name, value in said.items()}
    status = "error" if failed else "ok"
    return StoredSpan(
        int(id), "t", id, parent, f"op {id}", kind, service, start_ms * 1000, took_ms * 1000, status, attributes
    )


def by_place(*spans: StoredSpan) -> dict[str, Visit]:
    return {each.place: each for each in visits(spans)}


def test_own_time_is_what_calls_to_other_parts_leave_also_where_they_overlap() -> None:
    found = by_place(
        span("1", None, "shop", 0, 100),
        span("2", "1", "shop", 10, 45, kind="client"),
        span("3", "2", "cart", 12, 40),
        span("4", "1", "stock", 30, 40),
    )
    assert found["service:shop"].own_ms == 100 - (70 - 10)
    assert found["service:cart"].own_ms == 40
    assert found["service:stock"].own_ms == 40


def test_a_model_server_without_spans_of_its_own_is_seen_by_its_callers() -> None:
    found = by_place(
        span("1", None, "opsloop", 0, 100, opsloop__endpoint="chat", failed=True),
        span("2", "1", "opsloop", 5, 90, kind="internal"),
        span("3", "2", "opsloop", 10, 80, kind="client", failed=True, gen_ai__system="m", server__address="models"),
    )
    assert found["endpoint:chat"] == Visit("endpoint:chat", "op 1", 0, 100, 20, failed=True, failed_itself=False)
    assert found["provider:models"] == Visit("provider:models", "op 3", 10_000, 80, 80, failed=True, failed_itself=True)


def test_an_error_is_a_parts_own_when_no_call_of_it_failed() -> None:
    found = by_place(
        span("1", None, "shop", 0, 100, failed=True),
        span("2", "1", "cart", 10, 10, failed=True),
        span("3", "2", "store", 12, 5),
    )
    assert not found["service:shop"].failed_itself
    assert found["service:cart"].failed_itself
    assert not found["service:store"].failed


def test_what_a_caller_waits_longer_than_its_callee_takes_is_time_on_the_way_and_nobodys_own() -> None:
    spans = (
        span("1", None, "shop", 0, 500),
        span("2", "1", "shop", 10, 450, kind="client"),
        # The callee's clock is an hour ahead.
        span("3", "2", "cart", 3_600_000, 40),
    )
    assert list(ways(spans)) == [Way("service:shop", "service:cart", 10_000, 410.0)]
    found = by_place(*spans)
    assert found["service:shop"].own_ms == 50
    assert found["service:cart"].own_ms == 40


def test_only_a_clients_span_tells_of_the_way() -> None:
    spans = (
        span("1", None, "shop", 0, 500),
        span("2", "1", "cart", 10, 40),
        span("3", "1", "shop", 60, 5, kind="producer"),
        span("4", "3", "mailer", 400, 20, kind="consumer"),
        span("5", "1", "shop", 70, 30, kind="client"),
        span("6", "5", "shop", 75, 20),
    )
    assert list(ways(spans)) == []
