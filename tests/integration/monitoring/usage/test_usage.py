"""What was used, added up by day, key, endpoint and model."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from opsloop.core.caller import Caller
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.llm.tabs import ModelCalls
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.usage import service
from opsloop.monitoring.usage.models import UsageReport

DAY = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINI = ModelCalls("mini", 2, 1_000, 100, 150_000)
LARGE = ModelCalls("large", 1, 10, 10, 0, 1)


def record(number: int, **changes: Any) -> RequestRecord:
    fields: dict[str, Any] = {
        "request_id": f"r{number}",
        "endpoint": "chat",
        "release": "rel-1",
        "arm": "stable",
        "subject": "s",
        "started_at": DAY,
        "duration_ms": 5.0,
        "status": "ok",
        "tokens_in": 7,
        "tokens_out": 3,
    }
    return RequestRecord(**{**fields, **changes})


def report(workspace: Workspace, admin: Caller, **wishes: Any) -> UsageReport:
    with workspace.reading(admin) as uow:
        return service.report(uow, **{"since": date(2026, 6, 1), "until": date(2026, 7, 31), **wishes})


def ingest(workspace: Workspace, admin: Caller, *found: RequestRecord) -> None:
    with workspace.writing(admin) as uow:
        records.ingest(uow, found)


def test_requests_and_calls_are_added_up_by_key_endpoint_model_and_day(workspace: Workspace, admin: Caller) -> None:
    ingest(
        workspace,
        admin,
        record(1, api_key="ci", calls=(MINI, LARGE)),
        record(2, api_key="ci", calls=(MINI,), endpoint="reports"),
        record(3, started_at=DAY + timedelta(days=1)),
        record(4, status="error", http_status=500, tokens_in=0, tokens_out=0),
    )
    by_key = {each.name: each for each in report(workspace, admin, by="key").items}
    assert (by_key["ci"].requests, by_key["ci"].calls, by_key["ci"].cost_usd) == (2, 5, 0.0003)
    assert (by_key[""].requests, by_key[""].errors, by_key[""].tokens_in) == (2, 1, 7)
    by_model = {each.name: each for each in report(workspace, admin, by="model").items}
    assert (by_model["mini"].calls, by_model["mini"].tokens_in, by_model["mini"].requests) == (4, 2_000, 0)
    assert (by_model["large"].unpriced, by_model["large"].cost_usd) == (1, 0.0)
    assert by_model[""].tokens_out == 3  # no call says what these were: the answer's own count
    days = report(workspace, admin, by="day")
    assert [(each.name, each.requests) for each in days.items] == [("2026-07-01", 3), ("2026-07-02", 1)]
    assert days.total.cost_usd == pytest.approx(0.0003)
    assert [each.name for each in report(workspace, admin, by="endpoint", key="ci").items] == ["chat", "reports"]


def test_records_that_come_again_after_a_crash_count_once(workspace: Workspace, admin: Caller) -> None:
    batch = [record(number, calls=(MINI,)) for number in range(700)]
    ingest(workspace, admin, *batch)
    ingest(workspace, admin, *batch[300:], record(1_000), record(1_000))
    assert report(workspace, admin).total.requests == 701
    assert report(workspace, admin).total.calls == 1_400


def test_what_stands_beside_an_answer_pays_but_is_no_request(workspace: Workspace, admin: Caller) -> None:
    ingest(
        workspace,
        admin,
        record(1),
        record(2, shadow=True, calls=(MINI,)),
        record(3, shielded=True, status="error", calls=(MINI,)),
    )
    total = report(workspace, admin).total
    assert (total.requests, total.errors, total.calls, total.cost_usd) == (1, 0, 4, 0.0003)


def test_the_record_keeps_key_and_calls(workspace: Workspace, admin: Caller) -> None:
    kept = record(1, api_key="ci", calls=(LARGE, MINI))
    ingest(workspace, admin, kept)
    with workspace.reading(admin) as uow:
        [(_, found)] = records.newest(uow)
    assert (found.api_key, found.calls, found.cost_usd) == ("ci", (LARGE, MINI), 0.00015)


@pytest.mark.parametrize(
    ("wishes", "field"),
    [({"by": "week"}, "by"), ({"since": date(2026, 8, 1)}, "from"), ({"since": date(1000, 1, 1)}, "from")],
)
def test_a_wrong_wish_is_named(sqlite_workspace: Workspace, admin: Caller, wishes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        report(sqlite_workspace, admin, **wishes)
    assert refused.value.facts["field"] == field
