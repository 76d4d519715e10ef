"""What a flow's Python node reads of datasets."""

from __future__ import annotations

import json

import pytest

import opsloop
from opsloop.core.caller import Caller
from opsloop.core.context import NoWorkspace, current_workspace
from opsloop.core.workspace import Workspace
from opsloop.datasets import service
from opsloop.datasets.errors import DatasetMissing


def register(workspace: Workspace, by: Caller, *rows: dict[str, object]) -> None:
    with workspace.writing(by) as uow:
        service.register(uow, "figures", "figures.jsonl", "\n".join(map(json.dumps, rows)).encode())


def test_a_node_reads_the_newest_version_or_the_one_it_names(workspace: Workspace, admin: Caller) -> None:
    register(workspace, admin, {"month": "2025-01", "tickets": 10})
    register(workspace, admin, {"month": "2025-01", "tickets": 12})
    token = current_workspace.set(workspace)
    try:
        assert opsloop.read_dataset("figures") == [{"month": "2025-01", "tickets": 12}]
        assert opsloop.read_dataset("figures@1") == [{"month": "2025-01", "tickets": 10}]
        with pytest.raises(DatasetMissing, match="did you mean 'figures'"):
            opsloop.read_dataset("figure")
    finally:
        current_workspace.reset(token)


def test_reading_outside_a_run_says_so() -> None:
    with pytest.raises(NoWorkspace, match="outside a run"):
        opsloop.read_dataset("figures")
