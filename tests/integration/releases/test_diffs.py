"""What two releases differ in, and what happened to an endpoint."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import Workspace
from opsloop.releases import diffs
from opsloop.releases import service as releases
from opsloop.releases.api import numbers_of
from opsloop.releases.diff_models import ValueChange
from tests.integration.releases.conftest import OPERATOR


@pytest.fixture
def shop(sqlite_workspace: Workspace, registered: Callable[[Workspace, str], str]) -> Workspace:
    for text in ("one", "two"):
        registered(sqlite_workspace, text)
    with sqlite_workspace.writing(OPERATOR) as uow:
        releases.create_endpoint(uow, "chat")
        releases.create_release(
            uow, "chat", flow="answer@1", config={"guardrails": {"requests": {"pii": "flag"}}, "same": 1}
        )
        config = {"guardrails": {"requests": {"pii": "block"}}, "same": 1, "new": True}
        releases.create_release(uow, "chat", flow="answer@2", config=config, strategy="blue-green")
        releases.roll_back(uow, "chat")
    return sqlite_workspace


def test_files_config_and_what_stands_behind_are_compared(shop: Workspace) -> None:
    with shop.reading(OPERATOR) as uow:
        found = diffs.diff(uow, "chat", 1, 2)
    (file,) = found.files
    assert (file.path, file.change, file.added, file.removed) == ("echo.py", "changed", 1, 1)
    assert '-    return "one " + question' in file.lines
    assert found.config == (ValueChange("guardrails.requests.pii", "flag", "block"), ValueChange("new", None, True))
    assert ValueChange("serves", "answer@1", "answer@2") in found.lineage
    assert (found.figures, found.is_empty) == ((), False)


def test_a_release_does_not_differ_from_itself(shop: Workspace) -> None:
    with shop.reading(OPERATOR) as uow:
        assert diffs.diff(uow, "chat", 2, 2).is_empty
        with pytest.raises(NotFound, match="no release of chat named '7'"):
            diffs.diff(uow, "chat", 1, 7)


@pytest.mark.parametrize("span", ["1", "1..", "a..b", "1...2", "-1..2"])
def test_two_numbers_are_wanted(span: str) -> None:
    with pytest.raises(InvalidInput, match=r"such as 3\.\.4"):
        numbers_of(span)


def test_the_history_tells_who_when_and_why_over_all_rollouts(shop: Workspace) -> None:
    with shop.reading(OPERATOR) as uow:
        found = diffs.history(uow, "chat")
        with pytest.raises(NotFound):
            diffs.history(uow, "nothing")
    assert [(each.number, each.kind) for each in found] == [(2, "taken_back"), (2, "promoted"), (1, "promoted")]
    assert found[0].by == "test:operator"
    assert found[0].sentence == "back from release 2 to 1, asked by test:operator"
