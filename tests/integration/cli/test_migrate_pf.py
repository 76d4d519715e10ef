"""Prompt flow's commands, done by Opsloop: what scripts give them, and the form of what they read back."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from opsloop.cli.main import opsloop
from opsloop.cli.migrate import scripts
from opsloop.cli.pf.grid import grid
from opsloop.testing.model_server import ModelServer
from tests.acceptance.in_process import Said, run

CHAT = """
inputs: {question: {type: string, is_chat_input: true}, chat_history: {type: list, is_chat_history: true}}
outputs: {answer: {type: string, reference: "${ask.output}", is_chat_output: true}}
nodes:
- {name: ask, type: llm, source: {path: ask.jinja2}, connection: mine, api: chat,
   inputs: {deployment_name: gpt-4o, question: "${inputs.question}"}}
"""
VARIANTS = """
inputs: {text: {type: string, default: hi}, config: {type: object, default: {}}}
outputs: {said: {type: string, reference: "${say.output}"}}
nodes:
- {name: say, use_variants: true}
node_variants:
  say:
    default_variant_id: loud
    variants:
      loud: {node: {type: python, source: {path: loud.py}, inputs: {text: "${inputs.text}"}}}
      low: {node: {type: python, source: {path: low.py}, inputs: {text: "${inputs.text}"}}}
"""
ACCURACY = """
inputs: {truth: {type: string}, guess: {type: string}}
outputs: {grade: {type: string, reference: "${grade.output}"}}
nodes:
- name: grade
  type: python
  source: {path: grade.py}
  inputs: {truth: "${inputs.truth}", guess: "${inputs.guess}"}
- {name: total, type: python, source: {path: total.py}, inputs: {grades: "${grade.output}"}, aggregation: true}
"""
TOOLS = {
    "says/loud.py": "def loud(text: str):\n    return text.upper()\n",
    "says/low.py": "def low(text: str):\n    return text.lower()\n",
    "grades/grade.py": "def grade(truth: str, guess: str):\n    return str(truth == guess)\n",
    "grades/total.py": "def total(grades: list):\n    log_metric('accuracy', grades.count('True') / len(grades))\n",
}
FLEX = """
class Greeter:
    def __init__(self, greeting: str = "Hello"):
        self.greeting = greeting

    def __call__(self, name: str) -> str:
        return f"{self.greeting} {name}"
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPSLOOP_CONNECTIONS_HOME", str(tmp_path / "home"))
    place = tmp_path / "here"
    files = {
        "chat/flow.dag.yaml": CHAT,
        "chat/ask.jinja2": "user:\n{{question}}\n",
        "says/flow.dag.yaml": VARIANTS,
        "grades/flow.dag.yaml": ACCURACY,
        "greet.py": FLEX,
        "rows.jsonl": '{"text": "One"}\n{"text": "Two"}\n',
        "azure.yml": "name: other\ntype: azure_open_ai\napi_key: <user-input>\napi_base: <user-input>\n",
        **{name: f"from promptflow.core import log_metric, tool\n\n\n@tool\n{code}" for name, code in TOOLS.items()},
    }
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with ModelServer(api_key="k3y") as found:
        set_values = (f"api_base={found.azure_endpoint}", "api_key=k3y")
        pf("connection", "create", "--file", "azure.yml", "--name", "mine", "--set", *set_values)
        yield found


def pf(*words: str) -> Said:
    return run("migrate", "pf", "--", *words)


def went_well(*words: str) -> Any:
    said = pf(*words)
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_a_flow_is_tested(server: ModelServer) -> None:
    assert went_well("flow", "test", "--flow", "chat", "--inputs", "question=Hi there") == {
        "answer": "You said: Hi there"
    }
    assert went_well("flow", "test", "--flow", "says") == {"said": "HI"}
    assert went_well("flow", "test", "--flow", "says", "--inputs", "text=Ho", "--variant", "${say.low}") == {
        "said": "ho"
    }


def test_a_node_a_function_and_a_file_of_inputs_are_tested(here: Path) -> None:
    (here / "inputs.json").write_text('{"name": "you"}')
    (here / "init.json").write_text('{"greeting": "Bye"}')

    assert pf("flow", "test", "--flow", "grades", "--node", "grade", "--inputs", "truth=a", "guess=a").out == "True\n"
    assert pf("flow", "test", "--flow", "greet:Greeter", "--inputs", "inputs.json").out == "Hello you\n"
    assert pf("flow", "test", "--flow", "greet:Greeter", "--inputs", "name=me", "--init", "init.json").out == "Bye me\n"
    assert pf("flow", "test", "--flow", "greet:Greeter", "--inputs", "name=me", "--init", "greeting=Yo").out == (
        "Yo me\n"
    )


def test_a_chat_is_held_in_the_terminal(server: ModelServer) -> None:
    words = ["migrate", "pf", "--", "flow", "test", "--flow", "chat", "--interactive", "--verbose"]
    said = CliRunner().invoke(opsloop, words, input="one\ntwo\n", standalone_mode=False)

    assert said.exception is None
    assert said.stdout == "You said: one\nYou said: two\n"


def test_it_says_once_that_the_offline_engine_answers() -> None:
    said = pf("flow", "test", "--flow", "chat", "--inputs", "question=Hi")

    assert said.err.count("the offline engine answers") == 1


def test_rows_are_run_and_evaluated_as_the_readmes_do(server: ModelServer) -> None:
    base = went_well("run", "create", "--flow", "says", "--data", "rows.jsonl", "--column-mapping", "text=${data.text}",
                     "--name", "base", "--stream")  # fmt: skip
    assert (base["name"], base["status"], base["flow_name"]) == ("base", "Completed", "says")
    low = went_well("run", "create", "--flow", "says", "--data", "rows.jsonl", "--variant", "${say.low}",
                    "--set", "display_name=in low letters", "tags.a=b")  # fmt: skip
    assert (low["display_name"], low["tags"]) == ("in low letters", {"a": "b"})

    mapping = ("truth=ONE", "guess=${run.outputs.said}")
    went_well("run", "create", "--flow", "grades", "--data", "rows.jsonl", "--run", "base", "--name", "graded",
              "--column-mapping", *mapping)  # fmt: skip

    assert went_well("run", "show-metrics", "-n", "graded") == {"accuracy": 0.5}
    assert pf("run", "show-details", "--name", "graded", "-r", "1").out.splitlines() == [
        "+---+--------------+--------------+--------------------+---------------+",
        "|   | inputs.truth | inputs.guess | inputs.line_number | outputs.grade |",
        "+===+==============+==============+====================+===============+",
        "| 0 | ONE          | ONE          | 0                  | True          |",
        "+---+--------------+--------------+--------------------+---------------+",
    ]
    assert [each["name"] for each in went_well("run", "list", "-r", "2")] == ["graded", low["name"]]
    assert pf("run", "list", "-o", "table").out.count("Completed") == 3
    assert went_well("run", "show", "--name", "graded")["run"] == "base"
    assert "base" in pf("run", "visualize", "--name", "base,graded").out


def test_a_run_file_is_run_and_options_come_before_it(here: Path) -> None:
    (here / "run.yml").write_text("flow: says\ndata: rows.jsonl\ncolumn_mapping: {text: '${data.text}'}\n")

    assert went_well("run", "create", "--file", "run.yml", "--name", "one", "--stream")["status"] == "Completed"
    went_well("run", "create", "-f", "run.yml", "--name", "two", "--column-mapping", "text=Fixed")
    assert "FIXED" in pf("run", "show-details", "--name", "two").out


def test_connections_and_deployments_of_nodes_are_replaced_for_a_run(server: ModelServer, here: Path) -> None:
    chat = here / "chat" / "flow.dag.yaml"
    chat.write_text(chat.read_text().replace("connection: mine", "connection: another"))

    went_well("run", "create", "--flow", "chat", "--data", "rows.jsonl", "--column-mapping", "question=${data.text}",
              "--connections", "ask.connection=mine", "ask.deployment_name=gpt-5")  # fmt: skip

    assert [call.model for call in server.calls] == ["gpt-5", "gpt-5"]


def test_rows_that_fail_are_told_and_kept(here: Path) -> None:
    (here / "says" / "loud.py").write_text(
        "from promptflow.core import tool\n\n\n@tool\ndef loud(text: str):\n    return {'One': 'ONE'}[text]\n"
    )
    said = pf("run", "create", "--flow", "says", "--data", "rows.jsonl", "--column-mapping", "text=${data.text}",
              "--name", "half")  # fmt: skip

    assert said.code == 0
    assert "1 of 2 rows failed" in said.err
    assert "(Failed)" in pf("run", "show-details", "--name", "half").out


def test_runs_are_hidden_named_and_forgotten() -> None:
    went_well("run", "create", "--flow", "says", "--data", "rows.jsonl", "--name", "a")

    assert went_well("run", "update", "--name", "a", "--set", "description=of Monday", "tags.x=y")["description"] == (
        "of Monday"
    )
    went_well("run", "archive", "-n", "a")
    assert went_well("run", "list") == []
    assert len(went_well("run", "list", "--archived-only")) == 1
    went_well("run", "restore", "-n", "a")
    assert pf("run", "delete", "-n", "a", "-y").code == 0
    assert pf("run", "show", "-n", "a").code == 3


def test_connections_are_made_changed_and_shown_without_secrets(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / ".env").write_text("# of a test\nKEY=s3cret\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("from stdin\n"))

    made = went_well("connection", "create", "-f", "azure.yml", "--set", "api_key=-", "api_base=https://x", "name=mine")
    assert (made["name"], made["type"], made["api_key"]) == ("mine", "azure_open_ai", "******")
    assert went_well("connection", "create", "-f", ".env", "--name", "custom_connection")["secrets"] == {
        "KEY": "******"
    }
    updated = went_well("connection", "update", "-n", "mine", "--set", "api_base=https://y")
    assert (updated["api_base"], updated["api_key"]) == ("https://y", "******")
    assert [each["name"] for each in went_well("connection", "list")] == ["custom_connection", "mine"]
    assert "azure_open_ai" in pf("connection", "list", "-o", "table").out
    assert pf("connection", "delete", "-n", "mine").code == 0
    assert pf("connection", "show", "-n", "mine").code == 3
    assert pf("connection", "update", "-n", "mine", "--set", "a=b").code == 3
    for said in (pf("connection", "show", "-n", "custom_connection"), pf("connection", "list")):
        assert "s3cret" not in said.out + said.err


def test_a_flow_is_checked_and_begun(here: Path) -> None:
    assert "nothing wrong" in pf("flow", "validate", "--source", "says").out
    assert pf("flow", "init", "--flow", "fresh").code == 0
    assert went_well("flow", "test", "--flow", "fresh") == {"output": "Prompt: Write about: Hello World!\n"}
    assert pf("flow", "init", "--flow", "fresh").code == 2
    assert "entry: mine:answer" in pf("flow", "init", "--flow", "f", "--entry", "mine.py", "--function", "answer").err


@pytest.mark.parametrize("type", ["standard", "chat", "evaluation"])
def test_a_new_flow_is_of_its_type_and_runs(type: str) -> None:
    pf("flow", "init", "--flow", "fresh", "--type", type)
    assert went_well("flow", "test", "--flow", "fresh")
    made = went_well("run", "create", "--flow", "fresh", "--data", "fresh/data.jsonl", "--name", "first")
    assert made["status"] == "Completed"
    assert went_well("run", "show-metrics", "-n", "first") == ({"accuracy": 1.0} if type == "evaluation" else {})


def test_runs_are_named_as_scripts_look_for_them(here: Path) -> None:
    (here / "with-data").mkdir()
    (here / "with-data" / "rows.jsonl").write_text('{"name": "you"}\n')
    words = ("run", "create", "--data", "rows.jsonl", "--flow", "says")

    assert went_well(*words)["name"].startswith("says_variant_0_2")
    assert went_well(*words, "--variant", "${say.low}")["name"].startswith("says_low_2")
    entry = went_well("run", "create", "--data", "with-data", "--flow", "greet:Greeter")
    assert entry["name"].startswith("here_2")
    assert entry["data"] == str(here / "with-data" / "rows.jsonl")


def test_a_run_whose_mapping_fits_no_row_failed() -> None:
    said = pf(
        "run", "create", "--flow", "says", "--data", "rows.jsonl", "--column-mapping", "text=${data.no}", "-n", "f"
    )
    assert said.code == 1
    document = json.loads(said.out)
    assert (document["status"], document["error"]["message"] in said.err) == ("Failed", True)
    assert went_well("run", "show", "-n", "f")["status"] == "Failed"


def test_a_run_goes_on_under_another_name(here: Path) -> None:
    went_well("run", "create", "--flow", "says", "--data", "rows.jsonl", "--name", "first")
    made = went_well(
        "run", "create", "--resume-from", "first", "--name", "second", "--set", "display_name=S", "tags.a=b"
    )
    assert (made["name"], made["display_name"], made["tags"]) == ("second", "S", {"a": "b"})
    assert [each["name"] for each in went_well("run", "list")] == ["second", "first"]
    assert pf("run", "create", "--resume-from", "first", "--name", "second").code == 5
    assert "--set knows" in pf("run", "create", "--resume-from", "first", "--set", "data=x").err


def test_environment_variables_come_from_files_too(here: Path) -> None:
    (here / "reads.py").write_text("import os\ndef reads(x: str = ''):\n    return os.environ['OF_PF_TEST']\n")
    (here / ".env").write_text("OF_PF_TEST=of file\n")
    (here / "other.env").write_text("OF_PF_TEST=of other\n")
    words = ("flow", "test", "--flow", "reads:reads")

    assert pf(*words, "--env").out == "of file\n"
    assert pf(*words, "--environment-variables", "other.env").out == "of other\n"
    assert pf(*words, "--environment-variables", "other.env", "OF_PF_TEST=given").out == "given\n"
    assert "can be read" in pf(*words, "--environment-variables", "gone.env").err


def test_a_wide_grid_is_wrapped_to_the_terminal() -> None:
    drawn = grid(["id", "text"], [["a", "many words " * 20], ["b", "x" * 90]], width=60)
    assert {len(line) for line in drawn.splitlines()} == {60}
    assert drawn.count("many words") > 15


def test_settings_tools_and_the_version_are_told(here: Path) -> None:
    assert went_well("config", "show")["runs"].endswith("home/runs")
    assert "means nothing here" in pf("config", "set", "connection.provider=azureml").err
    assert went_well("tool", "list", "--flow", "grades")["code"]["grade.py"] == {"type": "python"}
    assert pf("--version").out.startswith("opsloop ")
    assert "pf run create" in pf("--help").out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("flow", "build", "--source", ".", "--output", "x"), "`opsloop flow serve DIR` serves one"),
        (("flow", "test", "--flow", "says", "--ui"), "`opsloop up`"),
        (("run", "crete"), "did you mean `pf run create`?"),
        (("run", "create", "--data", "x"), "name a flow with --flow"),
        (("run", "create", "--flow", "says", "--dat", "x"), "unrecognized arguments: --dat x"),
        (("run", "create", "--flow", "says", "--connections", "x=y"), "NODE.connection=NAME"),
        (("run", "create", "--flow", "says", "--data", "rows.jsonl", "--set", "colour=red"), "one of flow, data"),
        (("flow", "test", "--flow", "says", "--inputs", "alone"), "NAME=VALUE"),
        (("flow", "test", "--flow", "says", "--inputs", "no.json"), "no.json cannot be read"),
        (("run", "show"), "-n/--name"),
    ],
)
def test_what_cannot_be_translated_is_told_with_what_to_do(words: tuple[str, ...], sentence: str) -> None:
    said = pf(*words)

    assert (said.code, said.out) == (2, "")
    assert sentence in said.err


def test_help_of_a_command_is_printed_and_nothing_run() -> None:
    said = pf("run", "create", "--help")

    assert said.code == 0
    assert "--column-mapping" in said.out


def test_a_script_of_prompt_flow_runs(here: Path) -> None:
    (here / "drive.py").write_text(
        "import sys\nfrom promptflow.client import PFClient\n"
        "print(PFClient().test(flow='says', inputs={'text': sys.argv[1]}))\n"
    )

    assert run("migrate", "python", "drive.py", "hello").out == "{'said': 'HELLO'}\n"


def test_what_is_wrong_with_a_script_is_said_as_python_says_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "drive.py").write_text("def f():\n    raise ValueError('mine')\n\n\nf()\n")

    done = CliRunner().invoke(opsloop, ["migrate", "python", "drive.py"], standalone_mode=False)

    assert done.exit_code == 1
    assert "ValueError: mine" in done.stderr


def test_tests_and_notebooks_of_an_environment_import_promptflow_once_that_is_asked_for(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "_place", lambda: here / "site")
    (here / "site").mkdir()
    code = f"import site; site.addsitedir({str(here / 'site')!r}); from promptflow.client import PFClient; print('ok')"
    command = [sys.executable, "-c", code]

    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
    assert run("migrate", "scripts").code == 0
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "ok\n"
    assert run("migrate", "scripts", "--undo", "--json").answer["enabled"] is False
    assert list((here / "site").iterdir()) == []
    (here / "site").rmdir()
    assert "cannot be written" in run("migrate", "scripts").err


def test_in_a_project_its_commands_work_on_the_project(here: Path) -> None:
    (here / "opsloop.yaml").write_text("project: p\n")

    assert "nothing wrong" in pf("flow", "validate", "--source", "says").out
    went_well("run", "create", "--flow", "says", "--data", "rows.jsonl", "--name", "ours")
    assert (here / ".opsloop" / "runs" / "ours").is_dir()
    assert [each["run"] for each in [run("flow", "runs", "show", "ours", "--json").answer]] == [None]


def test_at_a_terminal_what_a_file_leaves_open_is_asked_for(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def prompt(field: str, **_: Any) -> str:
        asked.append(field)
        return "typed"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.prompt", prompt)

    went_well("connection", "create", "--file", "azure.yml", "--name", "mine", "--set", "api_base=https://x")

    assert asked == ["api_key"]
