from __future__ import annotations

from pathlib import Path

import pytest

from opsloop.client import project
from opsloop.client.project import ProjectInvalid
from opsloop.limits.models import Limit, Scope

LIMITS = """\
project: support
limits:
  default: {requests_per_minute: 100}
  keys:
    ci: {usd_per_day: 5, tokens_per_minute: 1000}
  endpoints:
    chat: {concurrent: 0}
"""


def test_limits_are_read_by_whom_they_hold(tmp_path: Path) -> None:
    (tmp_path / "opsloop.yaml").write_text(LIMITS)
    found = project.load(tmp_path).limits
    assert [(each.scope, each.name, each.limit) for each in found.values()] == [
        (Scope.DEFAULT, "", Limit(requests_per_minute=100)),
        (Scope.KEY, "ci", Limit(tokens_per_minute=1000, usd_per_day=5)),
        (Scope.ENDPOINT, "chat", Limit(concurrent=0)),
    ]
    assert list(found) == ["default", "key/ci", "endpoint/chat"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "default: {requests_per_minute: 100}",
            "default: 3",
            "opsloop.yaml:2: limits: default: is 3; wanted a mapping",
        ),
        ("requests_per_minute: 100", "requests: 100", r"default.requests: is 100; wanted one of requests_per_minute,"),
        ("concurrent: 0", "concurrent: -1", r"endpoints.chat.concurrent: is -1; wanted a whole number from 0"),
        ("concurrent: 0", "concurrent: 1.5", r"endpoints.chat.concurrent: is 1.5; wanted a whole number"),
        ("usd_per_day: 5,", "usd_per_day: .nan,", r"keys.ci.usd_per_day: is nan; wanted US dollars, 0 or more"),
        ("{concurrent: 0}", "{}", r"endpoints.chat: is {}; wanted at least one of"),
        ("keys:", "key:", r"limits: key: .*wanted default, keys or endpoints"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    (tmp_path / "opsloop.yaml").write_text(LIMITS.replace(old, new))
    with pytest.raises(ProjectInvalid, match=says):
        project.load(tmp_path)
