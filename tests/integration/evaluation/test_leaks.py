"""An evaluation on golden rows warns when the flow knows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsloop.core.caller import Caller
from opsloop.core.jobs.inline import run_due
from opsloop.core.workspace import Workspace
from opsloop.datasets import holdouts, lineage
from opsloop.datasets import service as datasets
from opsloop.evaluation import jobs, service
from opsloop.evaluation.models import Run
from opsloop.flows import package, versions

DAG = """\
inputs:
  question: {type: string}
outputs:
  answer: {type: string, reference: "${say.output}"}
nodes:
- name: say
  type: python
  source: {type: code, path: say.py}
  inputs: {question: "${inputs.question}"}
"""
SAY = "from promptflow.core import tool\n\n\n@tool\ndef say(question: str) -> str:\n    return question\n"
EXAMPLE = "# Where may I park my car over night?\n"


@pytest.mark.parametrize(
    ("tags", "change", "warned"), [(["golden"], EXAMPLE, True), (["golden"], "", False), ([], EXAMPLE, False)]
)
def test_a_run_on_golden_rows_says_which_of_them_the_flow_holds(
    sqlite_workspace: Workspace, admin: Caller, tmp_path: Path, tags: list[str], change: str, warned: bool
) -> None:
    run = evaluated(sqlite_workspace, admin, tmp_path, tags, change)
    said = (
        "1 of 1 rows of questions@1 stand in the flow's own files "
        "(row 1, question: word for word in answer@1/say.py, line 7): what they measure may be memory"
    )
    assert run.warnings == ((said,) if warned else ())
    assert run.error is None


def test_a_part_of_a_golden_set_is_evaluated_alone(sqlite_workspace: Workspace, admin: Caller, tmp_path: Path) -> None:
    with sqlite_workspace.writing(admin) as uow:
        rows = "\n".join(f'{{"question": "question {number}"}}' for number in range(20)).encode()
        version = datasets.register(uow, "golden", "q.jsonl", rows)
        holdouts.freeze(uow, version, 0.5, seed=0, by=None, reason=None)
        held = list(datasets.rows(uow, datasets.get(uow, "golden/holdout")))
    run = evaluated(sqlite_workspace, admin, tmp_path, [], "", dataset="golden@1/holdout")
    with sqlite_workspace.reading(admin) as uow:
        assert [record.data for record in service.rows(uow, run.id)] == held
        assert [use.target for use in lineage.uses(uow, "golden")] == [run.id]
    assert run.dataset == "golden@1/holdout"
    assert run.datasets[0].digest != version.digest


def evaluated(
    workspace: Workspace, by: Caller, folder: Path, tags: list[str], change: str, dataset: str = "questions"
) -> Run:
    (folder / "flow").mkdir()
    (folder / "flow" / "flow.dag.yaml").write_text(DAG)
    (folder / "flow" / "say.py").write_text(SAY + change)
    declared = {"name": "answers", "datasets": [{"name": dataset}], "evaluators": [{"name": "latency"}]}
    with workspace.writing(by) as uow:
        row = b'{"question": "where may I park my car over night"}'
        datasets.register(uow, "questions", "q.jsonl", row, tags=tags)
        flow = versions.register(uow, "answer", package.archive_of(folder / "flow"))
        run = service.start(uow, declared, flow)
    assert jobs  # imported: it registers the handler
    run_due(workspace, kind=service.KIND)
    with workspace.reading(by) as uow:
        return service.get(uow, run.id)
