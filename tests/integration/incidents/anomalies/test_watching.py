from __future__ import annotations

import json
import random
from datetime import timedelta

from sqlalchemy import text

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.events.outbox import _SUBSCRIBERS, deliver_due, subscriber
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.incidents.anomalies import service, watching
from opsloop.incidents.anomalies.events import MetricAnomalyFound
from opsloop.incidents.anomalies.models import Anomaly
from opsloop.monitoring import records
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.telemetry import storing
from opsloop.monitoring.telemetry.models import Point, Series
from opsloop.releases import service as releases


def send(workspace: Workspace, by: Caller, values: list[float], *, kind: str = "gauge", step_s: float = 60) -> None:
    """Points of the service `cart`, the last of them now."""
    series = Series("queue-1", storing.resource_of({"service.name": "cart"}), "queue", "items", kind, "", {})
    now_us = microseconds(workspace.clock.now())
    found = [
        Point(series, now_us - int((len(values) - 1 - at) * step_s * 1e6), value) for at, value in enumerate(values)
    ]
    with workspace.writing(by) as uow:
        storing.points(uow, found)


def noise(count: int, *, middle: float = 100.0) -> list[float]:
    dice = random.Random(11)
    return [dice.gauss(middle, 5) for _ in range(count)]


def listed(workspace: Workspace, by: Caller, subject: str | None = None) -> list[Anomaly]:
    with workspace.reading(by) as uow:
        return service.listed(uow, subject=subject)


def test_a_metric_that_another_service_sends_is_watched(workspace: Workspace, admin: Caller) -> None:
    send(workspace, admin, [*noise(400), *([190.0] * 10)])
    assert watching.watch(workspace) == 1
    found = listed(workspace, admin)
    assert [(each.subject, each.metric) for each in found] == [("service/cart", "queue in items")]
    assert found[0].value == 190.0
    assert "queue in items of service/cart is 190, above the usual" in found[0].sentence


def test_what_was_read_is_not_read_again_and_what_comes_goes_on_from_there(
    workspace: Workspace, clock: FakeClock, admin: Caller
) -> None:
    send(workspace, admin, noise(400))
    assert watching.watch(workspace) == 0
    clock.advance(600)
    send(workspace, admin, [250.0] * 5)
    assert watching.watch(workspace) == 1
    assert watching.watch(workspace) == 0
    assert len(listed(workspace, admin)) == 1


def test_other_slices_hear_of_it(sqlite_workspace: Workspace, admin: Caller) -> None:
    heard: list[MetricAnomalyFound] = []

    def hear(_uow: UnitOfWork, event: MetricAnomalyFound) -> None:
        heard.append(event)

    subscriber(MetricAnomalyFound, "test")(hear)
    try:
        send(sqlite_workspace, admin, [*noise(400), *([10.0] * 10)])
        watching.watch(sqlite_workspace)
        deliver_due(sqlite_workspace)
    finally:
        del _SUBSCRIBERS[MetricAnomalyFound]["test"]
    assert [(each.subject, each.value) for each in heard] == [("service/cart", 10.0)]


def test_a_counter_is_watched_by_what_it_gains_a_second(sqlite_workspace: Workspace, admin: Caller) -> None:
    total, totals = 0.0, []
    for gained in [*noise(400), *([900.0] * 10)]:
        total += gained
        totals.append(total)
    send(sqlite_workspace, admin, totals, kind="sum cumulative")
    assert watching.watch(sqlite_workspace) == 1
    assert listed(sqlite_workspace, admin)[0].value == 900.0 / 60


def test_a_counter_that_began_anew_is_no_anomaly(sqlite_workspace: Workspace, admin: Caller) -> None:
    send(
        sqlite_workspace,
        admin,
        [*(60.0 * at for at in range(300)), *(60.0 * at for at in range(100))],
        kind="sum cumulative",
    )
    assert watching.watch(sqlite_workspace) == 0


def test_an_endpoint_whose_errors_rise_is_found(sqlite_workspace: Workspace, clock: FakeClock, admin: Caller) -> None:
    with sqlite_workspace.writing(admin) as uow:
        releases.create_endpoint(uow, "chat")
    for minute in range(220):
        with sqlite_workspace.writing(admin) as uow:
            records.ingest(uow, [_record(sqlite_workspace, minute, number) for number in range(20)])
        clock.advance(60)
    clock.advance(40)
    watching.watch(sqlite_workspace)
    found = listed(sqlite_workspace, admin, "endpoint/chat")
    assert "error rate" in {each.metric for each in found}


def _record(workspace: Workspace, minute: int, number: int) -> RequestRecord:
    fails = number < 12 if minute >= 200 else (minute + number) % 40 == 0
    return RequestRecord(
        request_id=workspace.ids.new("req"),
        endpoint="chat",
        release="r1",
        arm="stable",
        subject="5ub",
        started_at=workspace.clock.now() + timedelta(seconds=number),
        duration_ms=50.0 + number,
        status="error" if fails else "ok",
    )


def test_an_endpoint_that_nobody_calls_for_days_is_read_on(
    sqlite_workspace: Workspace, clock: FakeClock, admin: Caller
) -> None:
    with sqlite_workspace.writing(admin) as uow:
        releases.create_endpoint(uow, "chat")
    watching.watch(sqlite_workspace)
    clock.advance(3 * 86_400)
    for _ in range(4):
        watching.watch(sqlite_workspace)
    with sqlite_workspace.reading(admin) as uow:
        read = uow.session.execute(text("SELECT min(read_us) FROM anomaly_watches")).scalar_one()
    assert microseconds(clock.now()) - read < 180_000_000


def test_a_state_that_cannot_be_read_is_learned_anew(
    sqlite_workspace: Workspace, clock: FakeClock, admin: Caller
) -> None:
    send(sqlite_workspace, admin, noise(400))
    watching.watch(sqlite_workspace)
    with sqlite_workspace.writing(admin) as uow:
        uow.session.execute(text("UPDATE anomaly_watches SET state = :state"), {"state": json.dumps({"window": "?"})})
    clock.advance(600)
    send(sqlite_workspace, admin, [250.0] * 5)
    assert watching.watch(sqlite_workspace) == 0


def test_old_anomalies_are_forgotten(sqlite_workspace: Workspace, clock: FakeClock, admin: Caller) -> None:
    send(sqlite_workspace, admin, [*noise(400), *([190.0] * 10)])
    watching.watch(sqlite_workspace)
    clock.advance(91 * 86_400)
    watching.prune(sqlite_workspace)
    assert listed(sqlite_workspace, admin) == []
