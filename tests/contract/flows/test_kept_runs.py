"""Flow runs are kept alike on both databases."""

from pathlib import Path

from opsloop.core.workspace import Workspace
from opsloop.flows import run_records
from opsloop.flows.settings import FlowSettings
from tests.integration.console import flows
from tests.integration.console.conftest import ADMIN


def test_a_run_comes_back_as_it_was_kept(workspace: Workspace, tmp_path: Path) -> None:
    flows.whole(workspace, tmp_path)
    made = flows.run(workspace, "help-desk", question="nul \0, half \ud800, ä", options={"n": 2**70, "f": 0.5})
    with workspace.reading(ADMIN) as uow:
        assert run_records.get(uow, "help-desk", made.id) == made
        assert run_records.flow_of(uow, made.id) == "help-desk@2"
    assert made.inputs["question"] == "nul ␀, half ?, ä"


def test_the_oldest_runs_are_let_go(workspace: Workspace, tmp_path: Path) -> None:
    flows.whole(workspace, tmp_path)
    kept = workspace.section(FlowSettings).flow_runs_kept
    made = [flows.run(workspace, "help-desk", question="?").id for _ in range(kept + 2)]
    with workspace.reading(ADMIN) as uow:
        assert sorted(each.id for each in run_records.listed(uow, "help-desk", limit=1_000)) == sorted(made[2:])
