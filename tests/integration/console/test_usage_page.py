from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

from opsloop.llm.tabs import ModelCalls
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord
from tests.integration.console.conftest import ADMIN, HOSTILE, Platform, browser
from tests.integration.console.test_pages import stray_tags

DAYS = "from=2026-07-01&to=2026-07-31"


def used(platform: Platform, key: str) -> None:
    made = RequestRecord(
        request_id="used-1",
        endpoint="support-chat",
        release="rel-1",
        arm="stable",
        subject="s",
        started_at=datetime(2026, 7, 2, tzinfo=UTC),
        duration_ms=5.0,
        status="ok",
        api_key=key,
        calls=(ModelCalls("mini", 3, 12_000, 400, 1_250_000),),
    )
    with platform.workspace.writing(ADMIN) as uow:
        records.ingest(uow, [made])


def test_lines_chart_and_command_follow_the_address(platform: Platform) -> None:
    used(platform, "ci")
    with browser(platform.workspace) as client:
        html = client.get(f"/usage?by=model&{DAYS}&key=ci").text
        other = client.get(f"/usage?by=model&{DAYS}&key=nobody").text
    assert '<th scope="row">mini</th>' in html
    assert "12,000" in html
    assert "0.001250" in html
    assert "opsloop monitor usage --by model --from 2026-07-01 --to 2026-07-31 --key ci" in html
    assert "Nothing was used in these days" in other


def test_a_wrong_day_is_said(platform: Platform) -> None:
    with browser(platform.workspace) as client:
        answer = client.get("/usage?from=yesterday")
    assert answer.status_code == 422
    assert "a day such as 2026-07-01" in answer.text


def test_names_are_data_in_the_page_and_no_formula_in_the_file(platform: Platform) -> None:
    name = "=" + "".join(each for each in HOSTILE if each.isprintable())[:100]
    used(platform, name)
    with browser(platform.workspace) as client:
        assert stray_tags(client.get(f"/usage?by=key&{DAYS}").text) == []
        answer = client.get(f"/usage.csv?by=key&{DAYS}")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0][:2] == ["key", "requests"]
    assert [f"'{name}", "1", "0", "3", "12000", "400", "0.001250000", "0"] in rows
