from __future__ import annotations

import re

from opsloop.limits import service
from opsloop.limits.models import Limit, Scope
from tests.integration.console.conftest import ADMIN, HOSTILE, Platform, browser
from tests.integration.console.test_pages import stray_tags


def rows_of(html: str) -> list[str]:
    rows = re.findall(r"<tr><th scope=.row.>.*?</tr>", html, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


def test_what_may_be_used_stands_beside_what_was(platform: Platform) -> None:
    platform.limited()
    with browser(platform.workspace) as client:
        html = client.get("/limits").text
    rows = rows_of(html)
    assert rows[0].startswith("each key without a limit Requests this minute \N{EN DASH} 100")
    assert any(row.startswith("key ci Tokens this minute 700 1,000") for row in rows)
    assert any(row.startswith("key ci Money today $1.25 $5.00") for row in rows)
    assert any(row.startswith("endpoint support-chat Money this month $1.25 $2.00") for row in rows)
    assert 'aria-label="70 % used"' in html


def test_names_of_keys_are_data(platform: Platform) -> None:
    name = "".join(each for each in HOSTILE if each.isprintable())[:100]
    with platform.workspace.writing(ADMIN) as uow:
        service.put(uow, Scope.KEY, name, Limit(concurrent=0))
    with browser(platform.workspace) as client:
        answer = client.get("/limits")
    assert answer.status_code == 200
    assert stray_tags(answer.text) == []
