from __future__ import annotations

import asyncio

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.events.outbox import deliver_due
from opsloop.core.workspace import Workspace
from opsloop.limits import service as limits
from opsloop.limits.account import Account
from opsloop.limits.models import Limit, Scope, Subject
from opsloop.limits.pool import Pool
from opsloop.llm.breaker import FAILURES, Breaker
from opsloop.monitoring.alerts import listening, service
from opsloop.monitoring.alerts.models import Alert, AlertState
from opsloop.monitoring.outages import Outages
from tests.integration.monitoring.alerts.conftest import Receiver, evaluate, only

LIMIT = Limit(usd_per_day=1.0)


def spend(workspace: Workspace, by: Caller, usd: float) -> None:
    with workspace.writing(by) as uow:
        limits.put(uow, Scope.KEY, "ci", LIMIT)
    pool = Pool(workspace)
    pool.refresh()

    async def spent() -> None:
        account = Account(pool, [(Subject(Scope.KEY, "ci"), LIMIT)])
        held = await account.hold("gpt-4", 10, usd)
        held.settle(10, usd)

    asyncio.run(spent())
    pool.stop()


def test_a_budget_is_told_at_each_share_and_over_with_the_day(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    rules = {"nearly": {"budget": "used", "above": 0.8}, "up": {"budget": "used", "above": 0.95, "severity": "page"}}
    only(workspace, admin, **rules, others={"budget": "used", "above": 0.1, "scope": "endpoint"})
    spend(workspace, admin, 0.79)
    assert evaluate(workspace, admin) == []
    spend(workspace, admin, 0.06)
    [nearly] = evaluate(workspace, admin)
    assert (nearly.rule, nearly.state) == ("nearly", AlertState.FIRING)
    assert nearly.labels == {"scope": "key", "name": "ci", "period": "day"}
    assert nearly.summary.startswith("key ci has used $0.85 of $1.00 a day; it starts anew at ")
    spend(workspace, admin, 0.13)
    assert {each.rule for each in evaluate(workspace, admin)} == {"nearly", "up"}
    clock.advance(86_400)
    evaluate(workspace, admin)
    clock.advance(600)
    assert {each.state for each in evaluate(workspace, admin)} == {AlertState.RESOLVED}


def test_a_provider_is_told_once_when_it_is_down_and_once_when_it_answers(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    listening.listen()
    breaker = Breaker(clock, "http://models.test/v1")
    outages = Outages(after_s=60, breakers=lambda: [breaker])

    def told() -> list[Alert]:
        with workspace.writing(admin) as uow:
            found = outages.tell(uow)
        outages.told = found
        deliver_due(workspace)
        with workspace.reading(admin) as uow:
            return service.listed(uow)

    for _ in range(FAILURES):
        breaker.failed()
    clock.advance(59)
    assert told() == []
    assert breaker.lets_in()
    breaker.failed()  # the try fails: it has been open all the while
    clock.advance(1)
    [alert] = told()
    assert (alert.rule, alert.severity, alert.state) == ("provider-down", "page", AlertState.FIRING)
    assert "http://models.test/v1 has not answered for 60 s" in alert.summary
    assert told()[0].times == 1
    breaker.succeeded()
    [alert] = told()
    assert alert.state is AlertState.RESOLVED


def test_what_was_not_committed_is_told_again(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    breaker = Breaker(clock, "http://models.test/v1")
    outages = Outages(after_s=0, breakers=lambda: [breaker])
    for _ in range(FAILURES):
        breaker.failed()
    clock.advance(1)
    with workspace.writing(admin) as uow:
        first = outages.tell(uow)
        again = outages.tell(uow)
    assert first == again == {"http://models.test/v1"}
