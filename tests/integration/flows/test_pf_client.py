"""Scripts of Prompt flow that drive flows: its client, runs and connections, where Prompt flow is not installed."""

from __future__ import annotations

import asyncio
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.errors import Conflict, InvalidInput
from opsloop.flows.batch_run_folder import RunMissing
from opsloop.flows.connections.errors import ConnectionMissing
from opsloop.flows.entries import entered
from opsloop.flows.loaded import load
from opsloop.flows.shim_finder import install_shim
from opsloop.testing.model_server import ModelServer

install_shim()
import promptflow.client  # noqa: E402
import promptflow.entities  # noqa: E402
from promptflow._sdk._errors import InvalidRunStatusError  # noqa: E402

WriteFlow = Callable[..., Path]
GRADE = """
    inputs: {truth: {type: string}, guess: {type: string}}
    outputs: {grade: {type: string, reference: "${grade.output}"}}
    nodes:
    - name: grade
      type: python
      source: {path: grade.py}
      inputs: {truth: "${inputs.truth}", guess: "${inputs.guess}"}
    - {name: total, type: python, source: {path: total.py}, inputs: {grades: "${grade.output}"}, aggregation: true}
"""
GRADE_PY = """
    from pathlib import Path
    from promptflow.core import tool
    @tool
    def grade(truth: str, guess: str):
        marks = Path("marks.txt").read_text().split()
        return marks[truth == guess]
"""
TOTAL_PY = """
    from promptflow.core import log_metric, tool
    @tool
    def total(grades: list):
        log_metric("right", grades.count("right"))
        return len(grades)
"""
CHAT = """
    inputs: {question: {type: string}}
    outputs: {answer: {type: string, reference: "${ask.output}"}}
    nodes:
    - {name: ask, type: llm, source: {path: ask.jinja2}, connection: mine, api: chat,
       inputs: {deployment_name: gpt-4o, question: "${inputs.question}"}}
"""
ROWS = '{"truth": "x", "guess": "x"}\n{"truth": "x", "guess": "y"}\n{"truth": "z", "guess": "z"}\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPSLOOP_CONNECTIONS_HOME", str(tmp_path / "home"))
    place = tmp_path / "here"
    place.mkdir()
    (place / "rows.jsonl").write_text(ROWS)
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def pf() -> Any:
    return promptflow.client.PFClient()


@pytest.fixture
def grading(write_flow: WriteFlow) -> Path:
    files = {"grade.py": GRADE_PY, "total.py": TOTAL_PY, "marks.txt": "wrong right"}
    return write_flow(GRADE, folder="grading", **files)


@pytest.fixture
def module(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module of this folder, as a notebook imports it."""
    code = """
        def shout(text: str) -> str:
            return text.upper()
        class Counter:
            def __init__(self, factor: int = 1):
                self.factor = factor
            def __call__(self, text: str) -> dict:
                return {"letters": len(text) * self.factor}
            def __aggregate__(self, line_results: list) -> dict:
                return {"all": sum(row["letters"] for row in line_results)}
    """
    (here / "counting_of_a_test.py").write_text(textwrap.dedent(code))
    monkeypatch.syspath_prepend(str(here))
    yield "counting_of_a_test"
    sys.modules.pop("counting_of_a_test", None)


def test_a_flow_is_tested_in_its_own_folder(pf: Any, grading: Path, here: Path) -> None:
    before = Path.cwd()

    assert pf.test(flow=str(grading), inputs={"truth": "a", "guess": "a"}) == {"grade": "right"}
    assert pf.test(flow=grading, node="grade", inputs={"truth": "a", "guess": "b"}) == "wrong"
    assert Path.cwd() == before


def test_a_notebook_whose_loop_runs_tests_a_flow(pf: Any, grading: Path) -> None:
    async def cell() -> Any:
        return pf.test(flow=grading, inputs={"truth": "a", "guess": "b"})

    assert asyncio.run(cell()) == {"grade": "wrong"}


def test_a_test_takes_a_file_of_inputs_and_variables_for_its_time(pf: Any, write_flow: WriteFlow, here: Path) -> None:
    dag = """
        inputs: {a: {type: string}}
        outputs: {said: {type: string, reference: "${say.output}"}}
        nodes: [{name: say, type: python, source: {path: say.py}, inputs: {a: "${inputs.a}"}}]
    """
    code = """
        import os
        from promptflow.core import tool
        @tool
        def say(a: str):
            return a + os.environ["OF_THIS_TEST"]
    """
    flow = write_flow(dag, **{"say.py": code})
    (here / "inputs.json").write_text('{"a": "hello "}')

    assert pf.flows.test(flow, inputs="inputs.json", environment_variables={"OF_THIS_TEST": "you"}) == {
        "said": "hello you"
    }
    assert "OF_THIS_TEST" not in os.environ


def test_a_flow_is_a_function_an_entry_or_an_object(pf: Any, module: str) -> None:
    import importlib

    counting = importlib.import_module(module)

    assert pf.test(flow=counting.shout, inputs={"text": "hi"}) == "HI"
    assert pf.test(flow=f"{module}:shout", inputs={"text": "hi"}) == "HI"
    assert pf.test(flow=f"{module}:Counter", inputs={"text": "hi"}, init={"factor": 3}) == {"letters": 6}
    assert pf.test(flow=counting.Counter(5), inputs={"text": "hi"}) == {"letters": 10}


def test_code_that_changed_is_loaded_anew_and_is_another_runs(pf: Any, here: Path) -> None:
    (here / "talk_of_a_test.py").write_text("def say(text: str):\n    return 1\ndef shout(text: str):\n    return 3\n")
    assert pf.test(flow="talk_of_a_test:say", inputs={"text": "a"}) == 1
    one, other = (load(entered(f"talk_of_a_test:{name}").path).digest for name in ("say", "shout"))
    assert one != other
    (here / "talk_of_a_test.py").write_text("def say(text: str):\n    return 22\n")
    assert pf.test(flow="talk_of_a_test:say", inputs={"text": "a"}) == 22


def test_a_run_keeps_no_key_that_its_class_was_made_with(pf: Any, here: Path) -> None:
    code = "class Asks:\n    def __init__(self, api_key: str):\n        self.key = api_key\n"
    (here / "asks_of_a_test.py").write_text(
        code + "    def __call__(self, truth: str):\n        return len(self.key)\n"
    )

    run = pf.run(flow="asks_of_a_test:Asks", data="rows.jsonl", init={"api_key": "s3cret"}, name="keyed")

    assert list(pf.get_details(run)["outputs.output"]) == [6, 6, 6]
    assert not [file for file in run.kept.folder.iterdir() if b"s3cret" in file.read_bytes()]
    with pytest.raises(Conflict, match="is not kept"):
        pf.run(resume_from="keyed")


def test_what_is_no_flow_is_told(pf: Any) -> None:
    with pytest.raises(InvalidInput, match="a path, MODULE:FUNCTION, a function or an object to call"):
        pf.test(flow=3)
    with pytest.raises(InvalidInput, match="at the top of a file"):
        pf.test(flow=type("Made", (), {"__qualname__": "<here>.Made", "__call__": lambda self, text: text}))


def test_rows_are_run_and_looked_into(pf: Any, grading: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = pf.run(
        flow=grading,
        data="rows.jsonl",
        column_mapping={"truth": "${data.truth}", "guess": "${data.guess}"},
        name="base",
        display_name="the first",
        tags={"unittest": "true"},
        stream=True,
    )

    assert (run.name, run.status, run.display_name, run.tags) == (
        "base",
        "Completed",
        "the first",
        {"unittest": "true"},
    )
    details = pf.get_details(run)
    assert list(details.columns) == ["inputs.truth", "inputs.guess", "inputs.line_number", "outputs.grade"]
    assert details.shape == (3, 4)
    assert list(details["outputs.grade"]) == ["right", "wrong", "right"]
    assert pf.get_metrics("base") == {"right": 2}
    assert 'Run status: "Completed"' in capsys.readouterr().out
    pf.visualize([run, "base"])
    assert capsys.readouterr().out.count("outputs.jsonl") == 2


def test_a_run_is_evaluated_by_another(pf: Any, grading: Path, module: str) -> None:
    base = pf.run(flow=f"{module}:shout", data="rows.jsonl", column_mapping={"text": "${data.guess}"})

    evaluated = pf.run(
        flow=grading,
        data="rows.jsonl",
        run=base,
        column_mapping={"truth": "${run.inputs.truth}", "guess": "${run.outputs.output}"},
    )

    assert list(pf.get_details(evaluated)["inputs.guess"]) == ["X", "Y", "Z"]
    assert evaluated.run == base.name


def test_an_object_is_called_for_each_row_and_makes_metrics(pf: Any, module: str) -> None:
    import importlib

    run = pf.run(
        flow=importlib.import_module(module).Counter(2), data="rows.jsonl", column_mapping={"text": "${data.truth}"}
    )

    assert pf.get_metrics(run) == {"all": 6}


def test_a_run_file_is_loaded_changed_and_run(pf: Any, grading: Path, here: Path) -> None:
    (here / "run.yml").write_text(
        "flow: ../grading\ndata: rows.jsonl\n"
        "column_mapping: {truth: '${data.truth}', guess: '${data.guess}', extra: '${data.truth}'}\n"
    )
    run = promptflow.client.load_run("run.yml", params_override=[{"name": "of-a-file", "tags.owner": "me"}])
    assert run.status == "NotStarted"

    done = pf.runs.create_or_update(run=run)

    assert (done.name, done.status, done.tags) == ("of-a-file", "Completed", {"owner": "me"})
    with pytest.raises(InvalidInput, match="no_such"):
        promptflow.client.load_run("run.yml", params_override=[{"no_such": 1}])


def test_a_declared_run_is_made(pf: Any, grading: Path) -> None:
    declared = promptflow.entities.Run(flow=grading, data="rows.jsonl", name="declared")

    assert pf.stream(pf.runs.create_or_update(declared)).name == "declared"


def test_a_run_whose_mapping_fits_no_row_failed(pf: Any, grading: Path) -> None:
    run = pf.run(flow=grading, data="rows.jsonl", column_mapping={"truth": "${data.no}"}, name="unmapped")

    assert (run.status, pf.runs.get("unmapped").status) == ("Failed", "Failed")
    with pytest.raises(InvalidRunStatusError, match=r"\$\{data\.no\}"):
        pf.stream(run)
    assert pf.stream(run, raise_on_error=False).status == "Failed"


def test_a_run_goes_on_under_another_name_and_runs_what_failed_again(
    pf: Any, write_flow: WriteFlow, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "from pathlib import Path\nfrom promptflow.core import tool\n\n\n@tool\ndef grade(truth: str, guess: str):\n"
        f"    if truth == 'z' and not Path({str(here / 'mended')!r}).exists():\n        raise ValueError('no z yet')\n"
        "    return 'right'\n"
    )
    flow = write_flow(GRADE, **{"grade.py": code, "total.py": TOTAL_PY})
    first = pf.run(flow=flow, data="rows.jsonl", name="first", stream=True)
    assert "The first that failed is row 2: node 'grade'" in capsys.readouterr().out
    (here / "mended").touch()

    second = pf.run(resume_from=first, name="second", tags={"try": "2"})

    assert (second.name, second.tags) == ("second", {"try": "2"})
    assert list(pf.get_details(second)["outputs.grade"]) == ["right"] * 3
    assert list(pf.get_details("first")["outputs.grade"])[2] == "(Failed)"
    assert [each.name for each in pf.runs.list()] == ["second", "first"]
    with pytest.raises(InvalidInput, match="a run goes on as it was begun"):
        pf.run(flow=flow, resume_from="first")


def test_runs_are_listed_hidden_renamed_and_forgotten(pf: Any, grading: Path) -> None:
    for name in ("one", "two"):
        pf.run(flow=grading, data="rows.jsonl", name=name)

    assert [run.name for run in pf.runs.list()] == ["two", "one"]
    assert [run.name for run in pf.runs.list(max_results=1)] == ["two"]
    pf.runs.archive("two")
    assert [run.name for run in pf.runs.list()] == ["one"]
    assert [run.name for run in pf.runs.list(archived_only=True)] == ["two"]
    pf.runs.restore("two")
    assert pf.runs.update("two", display_name="second", tags={"a": "b"}).display_name == "second"
    pf.runs.delete("one")
    assert [run.name for run in pf.runs.list(include_archived=True)] == ["two"]
    with pytest.raises(RunMissing, match="'one'"):
        pf.runs.get("one")


def test_a_run_that_broke_off_is_told_on_streaming_and_goes_on(
    pf: Any, grading: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opsloop.flows import batch_runs

    def stopped(work: Any) -> Any:
        work.close()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(batch_runs, "waited", stopped)
        with pytest.raises(KeyboardInterrupt):
            pf.run(flow=grading, data="rows.jsonl", name="stopped")

    assert pf.runs.get("stopped").status == "Canceled"
    with pytest.raises(InvalidRunStatusError, match="stopped"):
        pf.stream("stopped")
    assert pf.run(resume_from="stopped").status == "Completed"


def test_runs_are_the_projects_in_a_project_else_the_users(pf: Any, grading: Path, here: Path, tmp_path: Path) -> None:
    pf.run(flow=grading, data="rows.jsonl", name="mine")
    assert (tmp_path / "home" / "runs" / "mine").is_dir()

    (here / "opsloop.yaml").write_text("project: p\n")
    pf.run(flow=grading, data="rows.jsonl", name="ours")

    assert (here / ".opsloop" / "runs" / "ours").is_dir()
    assert [run.name for run in pf.runs.list()] == ["ours"]


def test_connections_are_kept_masked_and_found_by_flows(pf: Any, write_flow: WriteFlow) -> None:
    with pytest.raises(ConnectionMissing):
        pf.connections.get(name="mine")
    flow = write_flow(CHAT, **{"ask.jinja2": "user:\n{{question}}"})
    with ModelServer(api_key="k3y") as server:
        made = promptflow.entities.AzureOpenAIConnection(name="mine", api_key="k3y", api_base=server.azure_endpoint)
        kept = pf.connections.create_or_update(made)

        assert (kept.name, kept.api_key, kept.api_base) == ("mine", "******", server.azure_endpoint)
        assert pf.connections.get("mine", with_secrets=True).api_key == "k3y"
        assert [each.name for each in pf.connections.list()] == ["mine"]
        assert pf.test(flow, inputs={"question": "Hi"}) == {"answer": "You said: Hi"}

        pf.connections.create_or_update(pf.connections.get("mine"))  # what was shown masked is not the secret now
        assert pf.connections.get("mine", with_secrets=True).api_key == "k3y"
    pf.connections.delete("mine")
    with pytest.raises(ConnectionMissing):
        pf.connections.delete("mine")
    with pytest.raises(InvalidInput, match="a name"):
        pf.connections.create_or_update(promptflow.entities.OpenAIConnection(api_key="k"))


def test_a_batch_reads_the_files_that_a_flow_includes_by_relative_paths(
    pf: Any, grading: Path, write_flow: WriteFlow
) -> None:
    (grading / "marks.txt").rename(grading.parent / "marks.txt")
    flow = grading / "flow.dag.yaml"
    flow.write_text(flow.read_text() + "additional_includes: [../marks.txt]\n")

    assert pf.get_metrics(pf.run(flow=grading, data="rows.jsonl")) == {"right": 2}
