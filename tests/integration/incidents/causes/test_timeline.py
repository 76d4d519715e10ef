"""Root causes from everything that is stored: requests, traces, metrics, logs and changes, on one timeline."""

from __future__ import annotations

import random
from datetime import timedelta

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.incidents import service as incidents
from opsloop.incidents.causes import collect, service
from opsloop.incidents.causes.models import Ranking, SeriesKind, SuspectKind
from opsloop.incidents.causes.onset import onset
from opsloop.incidents.causes.sources.metrics import kind_of
from opsloop.incidents.models import ClosedAs
from opsloop.incidents.postmortem import html, markdown
from opsloop.incidents.topology._tables import CallRow
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.telemetry import storing
from opsloop.monitoring.telemetry.models import LogRecord, Point, Series
from tests.integration.incidents.causes.test_explain import serve
from tests.integration.incidents.telling import seen, told
from tests.integration.incidents.topology.test_watching import put, record


def explain(workspace: Workspace, by: Caller, *subjects: str, minutes_ago: float) -> Ranking:
    now = workspace.clock.now()
    with workspace.reading(by) as uow:
        return service.explain(uow, subjects=subjects, started_at=now - timedelta(minutes=minutes_ago), until=now)


def chain(
    workspace: Workspace,
    by: Caller,
    clock: FakeClock,
    draw: random.Random,
    *,
    minutes: int,
    slow: str = "",
    add: float = 0,
) -> None:
    """Six traces a minute of front, cart and store in a chain; the slow one takes more milliseconds of its own."""
    own = {name: 10.0 + (add if name == slow else 0.0) for name in ("front", "cart", "store")}
    for _ in range(minutes):
        spans = []
        for number in range(6):
            trace = draw.getrandbits(100)
            took = {name: value * draw.uniform(0.9, 1.1) for name, value in own.items()}
            begin = 55.0 - 9 * number
            store, cart, front = took["store"], took["store"] + took["cart"], sum(took.values())
            for id, (name, ms) in enumerate((("front", front), ("cart", cart), ("store", store)), 1):
                parent = id - 1 or None
                spans.append(
                    record(workspace, trace, id, parent, name, duration_ms=ms, ago_s=begin, name=f"GET /{name}")
                )
        clock.advance(60)
        put(workspace, by, spans)


def test_a_slow_store_is_named_and_not_the_services_that_wait_for_it(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    draw = random.Random(7)
    chain(workspace, admin, clock, draw, minutes=40)
    chain(workspace, admin, clock, draw, minutes=8, slow="store", add=400)
    found = explain(workspace, admin, "front", minutes_ago=8)
    assert found.suspects[0].subject == "store", found
    assert "own time in ms of store" in " ".join(found.suspects[0].evidence)
    others = {each.subject: each for each in found.suspects[1:]}
    for each in others.values():
        assert "it waits for what it calls" in " ".join(each.counter_evidence)


def test_a_service_that_is_slow_itself_is_named_also_in_the_middle(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    draw = random.Random(8)
    chain(workspace, admin, clock, draw, minutes=40)
    chain(workspace, admin, clock, draw, minutes=8, slow="cart", add=300)
    found = explain(workspace, admin, "front", minutes_ago=8)
    assert found.suspects[0].subject == "cart", found
    assert "store" not in {each.subject for each in found.suspects}


def far(
    workspace: Workspace, by: Caller, clock: FakeClock, draw: random.Random, *, minutes: int, way_ms: float = 2.0
) -> None:
    """Six traces a minute of front, which calls ads and cart; the way to cart takes as long as is said."""
    for _ in range(minutes):
        spans = []
        for number in range(6):
            trace, ago_s = draw.getrandbits(100), 55.0 - 9 * number
            work = {name: 10.0 * draw.uniform(0.9, 1.1) for name in ("front", "ads", "cart")}
            waits = {
                name: work[name] + draw.uniform(0.9, 1.1) * (way_ms if name == "cart" else 2.0)
                for name in ("ads", "cart")
            }
            spans.append(
                record(workspace, trace, 1, None, "front", duration_ms=work["front"] + sum(waits.values()), ago_s=ago_s)
            )
            for id, (name, ms) in zip((2, 4), waits.items(), strict=True):
                at_s = ago_s - (waits["ads"] / 1000 if name == "cart" else 0.0)
                spans.append(record(workspace, trace, id, 1, "front", "client", duration_ms=ms, ago_s=at_s))
                spans.append(record(workspace, trace, id + 1, id, name, duration_ms=work[name], ago_s=at_s))
        clock.advance(60)
        put(workspace, by, spans)


def test_a_service_that_its_caller_reaches_late_is_named_though_it_works_as_ever(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    draw = random.Random(11)
    far(workspace, admin, clock, draw, minutes=40)
    far(workspace, admin, clock, draw, minutes=8, way_ms=300)
    found = explain(workspace, admin, "front", minutes_ago=8)
    assert found.suspects[0].subject == "cart", found
    assert "time on the way in ms from front to cart" in " ".join(found.suspects[0].evidence)
    assert "ads" not in {each.subject for each in found.suspects}
    assert not any("own time in ms of front" in said for each in found.suspects for said in each.evidence)


def ask(
    workspace: Workspace, by: Caller, clock: FakeClock, draw: random.Random, *, minutes: int, failing: bool
) -> None:
    """Requests of the endpoint chat with their traces, whose model server fails or does not."""
    for _ in range(minutes):
        spans = []
        for number in range(6):
            trace = draw.getrandbits(100)
            status = "error" if failing else "ok"
            spans += [
                record(
                    workspace, trace, 1, None, "opsloop", status=status, ago_s=55 - 9 * number, opsloop__endpoint="chat"
                ),
                record(
                    *(workspace, trace, 2, 1, "opsloop", "client"),
                    status=status,
                    name="chat small",
                    ago_s=55 - 9 * number,
                    gen_ai__operation__name="chat",
                    server__address="models.example",
                ),
            ]
        put(workspace, by, spans)
        serve(workspace, clock, by, minutes=1, release="r6", failing=1.0 if failing else 0.0)


def test_a_model_server_that_fails_is_named_before_the_endpoint_that_asks_it(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    draw = random.Random(9)
    ask(workspace, admin, clock, draw, minutes=40, failing=False)
    ask(workspace, admin, clock, draw, minutes=6, failing=True)
    found = explain(workspace, admin, "endpoint/chat", minutes_ago=7)
    assert found.suspects[0].subject == "provider/models.example", found
    assert found.suspects[0].kind is SuspectKind.SERVICE


def lines(workspace: Workspace, service: str, texts: dict[str, int], *, severity: int = 9) -> list[LogRecord]:
    resource = storing.resource_of({"service.name": service})
    at_us = microseconds(workspace.clock.now()) - 30_000_000
    return [
        LogRecord(at_us, resource, severity, "", None, None, text.replace("#", str(number)), {})
        for text, count in texts.items()
        for number in range(count)
    ]


def keep(workspace: Workspace, by: Caller, records: list[LogRecord]) -> None:
    with workspace.writing(by) as uow:
        storing.logs(uow, records)


def test_lines_that_are_new_and_errors_that_burst_are_evidence_without_what_is_personal(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    for _ in range(30):
        keep(workspace, admin, lines(workspace, "store", {"served in # ms": 8, "pool is at # %": 2}))
        clock.advance(60)
    keep(
        workspace,
        admin,
        [
            *lines(workspace, "store", {"no space left on device for maria@example.com, block #": 60}, severity=17),
            *lines(workspace, "store", {"pool is at # %": 90}),
        ],
    )
    found = explain(workspace, admin, "store", minutes_ago=1)
    said = " ".join(found.suspects[0].evidence)
    assert found.suspects[0].subject == "store"
    assert "60 lines of a form that was not there before: no space left" in said
    assert "90 lines of a form of which 2.03 were to come" in said
    assert "maria" not in said


def points(workspace: Workspace, service: str, name: str, values: list[float]) -> list[Point]:
    """A point a minute, the last one now."""
    resource = storing.resource_of({"service.name": service})
    series = Series(f"{service} {name}", resource, name, "1", "gauge", "", {})
    now_us = microseconds(workspace.clock.now())
    return [Point(series, now_us - 60_000_000 * (len(values) - 1 - at), value) for at, value in enumerate(values)]


def test_metrics_that_services_send_are_read(workspace: Workspace, admin: Caller) -> None:
    usual = [20.0 + at % 3 for at in range(60)]
    with workspace.writing(admin) as uow:
        storing.points(uow, points(workspace, "store", "process.cpu.utilization", [*usual, *([97.0] * 6)]))
        storing.points(uow, points(workspace, "cart", "process.cpu.utilization", [*usual, *usual[:6]]))
    found = explain(workspace, admin, "store", minutes_ago=5.5)
    assert [each.subject for each in found.suspects] == ["store"]
    assert "process.cpu.utilization of store went from 21 to 97" in found.suspects[0].evidence[0]


def test_a_metrics_kind_is_told_by_its_name() -> None:
    names = {
        "http.server.request.duration": SeriesKind.LATENCY,
        "http_requests_failed_total": SeriesKind.ERRORS,
        "process.memory.usage": SeriesKind.RESOURCE,
        "http_requests_total": SeriesKind.TRAFFIC,
        "orders.basket_value": SeriesKind.OTHER,
        "up": SeriesKind.AVAILABILITY,
    }
    assert {name: kind_of(name) for name in names} == names


def test_every_source_is_found() -> None:
    assert [each.name for each in collect.known()] == ["changes", "logs", "metrics", "requests", "traces"]


def test_an_alert_that_comes_late_is_put_back_to_the_first_bad_minute(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    serve(workspace, clock, admin, minutes=120, release="r6", failing=0.0)
    began = clock.now()
    serve(workspace, clock, admin, minutes=12, release="r6", failing=1.0)
    with workspace.reading(admin) as uow:
        assert onset(uow, ["chat"], clock.now()) == began
        assert onset(uow, [], clock.now()) == clock.now()
        assert onset(uow, ["chat"], began) == began


def test_an_incident_tells_how_many_requests_it_cost(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    serve(workspace, clock, admin, minutes=120, release="r6", failing=0.0)
    serve(workspace, clock, admin, minutes=12, release="r6", failing=1.0)
    opened = told(workspace, seen(endpoint="chat", at=clock.now())).opened[0]
    serve(workspace, clock, admin, minutes=8, release="r6", failing=1.0)
    with workspace.writing(admin) as uow:
        incidents.count_impact(uow, opened)
        (cost,) = incidents.get(uow, opened).impact
        assert (cost.endpoint, cost.requests, cost.failed, cost.usual_share) == ("chat", 200, 200, 0.0)
        found = incidents.close(uow, opened, closed_as=ClosedAs.CAUSE, cause="the disk")
        said = "chat: 200 of 200 requests failed (100 %; 0 % before)"
        assert said in found.impact[0].sentence
        for draft in (markdown.of(found, now=clock.now()), html.of(found, now=clock.now())):
            assert "200 of 200 requests failed (100 %" in draft


def test_an_incident_of_a_service_costs_the_endpoints_that_call_it(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    serve(workspace, clock, admin, minutes=10, release="r6", failing=0.2)
    with workspace.writing(admin) as uow:
        now = clock.now()
        for caller, callee in (("endpoint:chat", "service:shop"), ("service:shop", "service:cart")):
            uow.session.add(CallRow(caller=caller, callee=callee, calls=1, errors=0, first_at=now, seen_at=now))
    opened = told(workspace, seen(service="cart", at=clock.now() - timedelta(minutes=5))).opened[0]
    with workspace.writing(admin) as uow:
        incidents.count_impact(uow, opened)
        assert [(each.endpoint, each.requests) for each in incidents.get(uow, opened).impact] == [("chat", 50)]
