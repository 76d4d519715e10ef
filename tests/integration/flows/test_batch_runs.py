"""Batch runs that are kept in a folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.flows import batch_runs, run_file
from opsloop.flows.batch_run_folder import RunDamaged, RunMissing, RunStatus, RunThere
from opsloop.flows.batch_runs import Finished, Manner
from opsloop.flows.errors import FlowInvalid
from opsloop.flows.journal import JournalOfOther
from opsloop.flows.lines import LinesHeld
from opsloop.flows.run_file import RunWanted

WriteFlow = Callable[..., Path]

SQUARE = """
    inputs: {n: {type: int}}
    outputs: {square: {type: int, reference: "${work.output}"}}
    nodes: [{name: work, type: python, source: {path: work.py}, inputs: {n: "${inputs.n}"}}]
"""
WORK = """
    import os
    from pathlib import Path
    from promptflow.core import tool
    @tool
    def work(n: int):
        if n == 3:
            raise ValueError("three is out")
        if (Path(__file__).parent.parent / "stop").exists() and n == 4:
            raise KeyboardInterrupt
        return n * n + int(os.environ.get("EXTRA", 0))
"""
GRADE = """
    inputs: {truth: {type: int}, square: {type: int}}
    outputs: {grade: {type: double, reference: "${grade.output}"}}
    nodes:
    - {name: grade, type: python, source: {path: grade.py},
       inputs: {truth: "${inputs.truth}", square: "${inputs.square}"}}
    - {name: mean, type: python, aggregation: true, source: {path: mean.py}, inputs: {grades: "${grade.output}"}}
"""
GRADING = {
    "grade.py": """
        from promptflow.core import tool
        @tool
        def grade(truth: int, square: int): return float(truth == square)
    """,
    "mean.py": """
        from promptflow.core import log_metric, tool
        @tool
        def mean(grades: list):
            log_metric("accuracy", sum(grades) / len(grades))
            return len(grades)
    """,
}


@pytest.fixture
def square(write_flow: WriteFlow) -> Path:
    return write_flow(SQUARE, folder="square", **{"work.py": WORK})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def data(folder: Path, *rows: dict[str, Any]) -> str:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def ran(place: Path, flow: Path, *rows: dict[str, Any], **wanted: Any) -> Finished:
    return batch_runs.create(place, RunWanted(flow, data=data(flow.parent, *rows), **wanted))


def test_a_run_is_kept_with_what_it_ran_and_what_came_out(place: Path, square: Path) -> None:
    run = ran(place, square, {"n": 2}, {"n": 3}, name="monday", tags={"of": "test"}).run
    assert batch_runs.get(place, "monday") == run
    assert (run.status, run.rows, run.completed_rows, run.failed_rows) == (RunStatus.COMPLETED, 2, 1, 1)
    assert batch_runs.details(place, "monday") == [
        {"inputs.line_number": 0, "inputs.n": 2, "outputs.square": 4, "error": None},
        {
            "inputs.line_number": 1,
            "inputs.n": 3,
            "outputs.square": "(Failed)",
            "error": "node 'work' of flow 'square' failed: ValueError: three is out (work.py, line 8)",
        },
    ]
    assert run.outputs_file.read_text() == '{"line_number":0,"square":4}\n'


def test_runs_are_listed_with_the_newest_first_and_named_by_flow_and_time(place: Path, square: Path) -> None:
    clock = FakeClock()
    for _ in range(2):
        batch_runs.create(place, RunWanted(square, data=data(square.parent, {"n": 1})), Manner(clock=clock))
        clock.advance(1)
    assert [run.name for run in batch_runs.listed(place)] == [
        "square_20270101_000001_000000",
        "square_20270101_000000_000000",
    ]


def test_a_name_is_used_once(place: Path, square: Path) -> None:
    ran(place, square, {"n": 1}, name="monday")
    with pytest.raises(RunThere, match=r"completed.*--resume monday"):
        ran(place, square, {"n": 1}, name="monday")


@pytest.mark.parametrize("name", ["../out", "", "a/b", ".hidden", "x" * 300])
def test_a_name_stays_inside_the_folder_of_runs(place: Path, square: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        ran(place, square, {"n": 1}, name=name)


def test_an_unknown_run_is_told_with_the_nearest_name(place: Path, square: Path) -> None:
    ran(place, square, {"n": 1}, name="monday")
    with pytest.raises(RunMissing, match=r"'mondy'.*did you mean 'monday'"):
        batch_runs.get(place, "mondy")


def test_a_record_that_is_damaged_is_told(place: Path, square: Path) -> None:
    run = ran(place, square, {"n": 1}, name="monday").run
    (run.folder / "run.json").write_text("{")
    with pytest.raises(RunDamaged, match="start that run again"):
        batch_runs.get(place, "monday")


def test_a_run_of_which_the_file_of_rows_is_gone_goes_on_all_the_same(place: Path, square: Path) -> None:
    run = ran(place, square, {"n": 2}, {"n": 5}, name="monday").run
    Path(str(run.data)).unlink()
    lines = run.journal_file.read_bytes().splitlines(keepends=True)
    run.journal_file.write_bytes(b"".join(lines[:2]))
    again = batch_runs.resume(place, "monday")
    assert sorted(row.resumed for row in again.result.rows) == [False, True]  # either may have been written first
    assert batch_runs.get(place, "monday").completed_rows == 2


def test_a_run_whose_process_died_reads_as_interrupted(place: Path, square: Path) -> None:
    run = ran(place, square, {"n": 2}, name="monday").run
    record = json.loads((run.folder / "run.json").read_text())
    (run.folder / "run.json").write_text(json.dumps({**record, "status": "running"}))
    assert batch_runs.get(place, "monday").status is RunStatus.INTERRUPTED


def test_a_run_whose_flow_changed_does_not_go_on_and_stays_as_it_was(place: Path, square: Path) -> None:
    ran(place, square, {"n": 2}, name="monday")
    (square / "work.py").write_text("from promptflow.core import tool\n@tool\ndef work(n: int): return 0\n")
    with pytest.raises(JournalOfOther, match="the flow or the mapping changed"):
        batch_runs.resume(place, "monday")
    assert batch_runs.results(place, "monday")[0].outputs == {"square": 4}


def test_rows_that_failed_run_again_when_asked(place: Path, square: Path) -> None:
    ran(place, square, {"n": 3}, {"n": 1}, name="monday")
    again = batch_runs.resume(place, "monday", Manner(retry_failed=True))
    assert [row.resumed for row in again.result.rows] == [False, True]


def test_an_evaluation_reads_outputs_and_data_of_the_run_it_is_of(
    place: Path, square: Path, write_flow: WriteFlow
) -> None:
    ran(place, square, {"n": 2, "is": 4}, {"n": 3, "is": 9}, {"n": 4, "is": 17}, name="monday")
    mapping = {"truth": "${run.inputs.is}", "square": "${run.outputs.square}"}
    grading = RunWanted(write_flow(GRADE, folder="grade", **GRADING), run="monday", column_mapping=mapping)
    graded = batch_runs.create(place, grading)
    assert [(row.index, row.outputs["grade"]) for row in graded.result.rows] == [(0, 1.0), (2, 0.0)]
    assert (graded.run.metrics, graded.run.left_out) == ({"accuracy": 0.5}, 1)
    assert json.loads((graded.run.folder / "metrics.json").read_text()) == {"accuracy": 0.5}


def test_another_file_of_rows_is_joined_with_the_run_by_line_number(
    place: Path, square: Path, write_flow: WriteFlow
) -> None:
    ran(place, square, {"n": 2}, {"n": 3}, {"n": 4}, name="monday")
    truths = data(place, {"line_number": 2, "is": 16}, {"line_number": 0, "is": 5})
    mapping = {"truth": "${data.is}", "square": "${run.outputs.square}"}
    flow = write_flow(GRADE, folder="grade", **GRADING)
    graded = batch_runs.create(place, RunWanted(flow, data=truths, run="monday", column_mapping=mapping))
    assert [row.outputs["grade"] for row in graded.result.rows] == [1.0, 0.0]


def test_variables_of_a_run_hold_while_it_goes_on(place: Path, square: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXTRA", raising=False)
    done = ran(place, square, {"n": 2}, environment_variables={"EXTRA": "10"})
    assert done.result.rows[0].outputs == {"square": 14}
    assert ran(place, square, {"n": 2}).result.rows[0].outputs == {"square": 4}


def test_a_run_may_be_made_inside_of_an_event_loop(place: Path, square: Path) -> None:
    async def inside() -> Finished:
        return ran(place, square, {"n": 2})

    assert asyncio.run(inside()).result.completed == 1


def test_a_run_that_another_process_is_at_is_refused_and_left_as_it_is(place: Path, square: Path) -> None:
    ran(place, square, {"n": 1}, {"n": 2}, name="monday")
    told: list[str] = []

    def meanwhile(_: object) -> None:
        with pytest.raises(LinesHeld, match="in use by process"):
            batch_runs.resume(place, "tuesday")
        told.append(batch_runs.get(place, "tuesday").status)

    wanted = RunWanted(square, data=data(square.parent, {"n": 1}), name="tuesday")
    batch_runs.create(place, wanted, Manner(progress=meanwhile))
    assert told == [RunStatus.RUNNING]


def test_a_mapping_of_what_is_no_input_is_refused_or_in_a_run_file_left_out(place: Path, square: Path) -> None:
    with pytest.raises(InvalidInput, match="an input of flow square"):
        ran(place, square, {"n": 1}, column_mapping={"m": "${data.n}"})
    done = ran(place, square, {"n": 1}, column_mapping={"m": "${data.n}"}, is_lenient=True)
    assert done.run.warnings == ("column mapping 'm' is no input of flow square and was left out",)


# --- run files -------------------------------------------------------------------------------------------------------


def written(folder: Path, text: str) -> Path:
    file = folder / "run.yml"
    file.write_text(text)
    return file


def test_a_run_file_of_prompt_flow_runs_as_it_is(place: Path, square: Path) -> None:
    data(square, {"number": 6})
    text = """\
$schema: https://azuremlschemas.azureedge.net/promptflow/latest/Run.schema.json
flow: .
data: rows.jsonl
name: monday
display_name: Squares
tags: {release: 7, nightly: true}
column_mapping: {n: "${data.number}"}
environment_variables: {EXTRA: 1}
resources: {instance_type: large}
unheard: of
"""
    done = batch_runs.create(place, run_file.read(written(square, text)))
    assert done.result.rows[0].outputs == {"square": 37}
    assert (done.run.name, done.run.display_name) == ("monday", "Squares")
    assert done.run.tags == {"release": "7", "nightly": "true"}
    assert done.run.warnings == (
        "run.yml: resources is for runs in Azure and means nothing here",
        "run.yml: unheard is no key of a run file and was left out",
    )


def test_a_run_file_may_name_files_for_variables_and_init(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# keys\nexport A='1'\nB = two words\n\n")
    (tmp_path / "init.json").write_text('{"threshold": 0.5}')
    wanted = run_file.read(written(tmp_path, "flow: f\ndata: d.csv\nenvironment_variables: .env\ninit: init.json\n"))
    assert wanted.environment_variables == {"A": "1", "B": "two words"}
    assert wanted.init == {"threshold": 0.5}


def test_a_run_file_names_a_variant_and_other_connections(tmp_path: Path) -> None:
    text = "flow: f\nrun: earlier\nvariant: ${ask.variant_1}\nconnections: {ask: {connection: mine}}\n"
    wanted = run_file.read(written(tmp_path, text))
    assert (wanted.variants, wanted.run) == ({"ask": "variant_1"}, "earlier")
    assert wanted.connections == {"ask": {"connection": "mine"}}


def test_data_in_a_run_file_may_be_a_dataset_version(tmp_path: Path) -> None:
    assert run_file.read(written(tmp_path, "flow: f\ndata: golden@3\n")).data == "golden@3"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("data: d.jsonl", "flow is None; wanted the path of a flow"),
        ("flow: f", "data is None; wanted a file of rows"),
        ("flow: f\ndata: d\nvariant: ask.one", "variant is 'ask.one'; wanted ${node.variant}"),
        ("flow: f\ndata: [d]", r"data is \['d'\]; wanted text"),
        ("flow: f\ndata: d\ncolumn_mapping: x", "column_mapping is 'x'; wanted a mapping"),
        ("flow: f\ndata: d\ninit: none.json", "a file that is there"),
        ("flow: f\ndata: d\nconnections: {ask: mine}", "connections.ask is 'mine'; wanted a mapping"),
    ],
)
def test_what_is_wrong_in_a_run_file_is_told_with_key_and_value(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(FlowInvalid, match=sentence.replace("$", r"\$").replace("{", r"\{")):
        run_file.read(written(tmp_path, text))


def test_a_variable_of_a_connection_that_is_not_there_is_told(place: Path, square: Path) -> None:
    with pytest.raises(FlowInvalid, match=r"environment_variables\.KEY"):
        ran(place, square, {"n": 1}, environment_variables={"KEY": "${nowhere.api_key}"})
