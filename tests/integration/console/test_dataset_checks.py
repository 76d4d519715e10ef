"""What the page of a dataset says of its checks and of its held out rows."""

from __future__ import annotations

import json
from typing import Any

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.datasets import holdouts, policies, service
from opsloop.datasets.findings import OnBroken
from tests.integration.console.conftest import browser


def test_checks_are_shown_and_held_out_rows_only_when_asked_for(sqlite_workspace: Workspace, admin: Caller) -> None:
    rows = [{"id": number, "mail": f"ada{number}@example.org"} for number in range(10)]
    with sqlite_workspace.writing(admin) as uow:
        wanted: list[dict[str, Any]] = [
            {"expect": "between", "column": "id", "max": 8},
            {"expect": "not_null", "column": "mail"},
        ]
        policies.change(uow, "golden", expectations=wanted, on_broken=OnBroken.WARN)
        data = "\n".join(map(json.dumps, rows)).encode()
        version = service.register(uow, "golden", "golden.jsonl", data)
        holdouts.freeze(uow, version, 0.5, seed=0, by=None, reason=None)
        held = [row["mail"] for row in service.rows(uow, service.get(uow, "golden/holdout"))]
    visitor = browser(sqlite_workspace)
    page = visitor.get("/datasets/golden").text
    assert "between id (max 8) is broken by 1 of 10 rows (row 10: 9)" in page
    assert "not_null mail" in page
    assert "email in mail (10 rows, such as xxx0@xxxxxxx.xxx)" in page
    assert f"{len(held)} rows held out and not shown here" in page
    assert not [mail for mail in held if mail in page]
    shown = visitor.get("/datasets/golden@1?part=holdout").text
    assert [mail for mail in held if mail not in shown] == []
