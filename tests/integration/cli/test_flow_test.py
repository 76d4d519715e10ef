"""`opsloop flow test`, and a chat in the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from opsloop.cli.main import opsloop
from tests.acceptance.in_process import run

DAG = """
inputs: {text: {type: string, default: hi}, times: {type: int, default: 2}}
outputs: {loud: {type: string, reference: "${repeat.output}"}, size: {type: object, reference: "${measure.output}"}}
nodes:
- {name: shout, type: python, source: {path: shout.py}, inputs: {text: "${inputs.text}"}}
- name: repeat
  type: python
  source: {path: repeat.py}
  inputs: {text: "${shout.output.said}", times: "${inputs.times}"}
- {name: measure, type: python, source: {path: measure.py}, inputs: {text: "${repeat.output}"}}
"""
CODE = {
    "shout.py": "def shout(text: str):\n    return {'said': text.upper() + pathlib.Path('mark.txt').read_text()}\n",
    "repeat.py": "def repeat(text: str, times: int):\n    return text * times\n",
    "measure.py": "def measure(text: str):\n    import beside\n    return {'letters': beside.count(text)}\n",
}
CHAT = """
def chat(question: str, chat_history: list = None):
    if question == "fail":
        raise ValueError("no")
    yield from f"{question} after {len(chat_history)}".split("-")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "flow"
    place.mkdir()
    (place / "flow.dag.yaml").write_text(DAG)
    for name, code in CODE.items():
        (place / name).write_text(f"import pathlib\nfrom promptflow.core import tool\n\n@tool\n{code}")
    (place / "mark.txt").write_text("!")
    (place / "beside.py").write_text("count = len\n")
    return place


def test_it_runs_on_the_defaults_and_shows_each_node(folder: Path) -> None:
    said = run("flow", "test", str(folder))
    assert said.code == 0
    assert said.out.splitlines()[0].split() == ["NODE", "TYPE", "STATUS", "TIME", "TOKENS"]
    assert [line.split()[0] for line in said.out.splitlines()[1:4]] == ["shout", "repeat", "measure"]
    assert '"loud": "HI!HI!"' in said.out


def test_as_json_it_gives_what_each_node_read_and_gave(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n{"text": "b"}\n')
    answer = run(
        "flow", "test", str(folder), "--inputs", str(tmp_path / "rows.jsonl"), "--input", "times=3", "--json"
    ).answer
    assert answer["outputs"] == {"loud": "A!A!A!", "size": {"letters": 6}}
    assert answer["nodes"][1]["inputs"] == {"text": "A!", "times": 3}


def test_a_node_runs_alone_on_what_others_would_give(folder: Path) -> None:
    words = ("flow", "test", str(folder), "--node", "repeat")
    assert run(*words, "--input", "text=x").out == "xx\n"
    assert run(*words, "--input", 'shout.output={"said": "y"}', "--input", "times=1").out == "y\n"
    missing = run(*words)
    assert missing.code == 2
    assert "inputs.text is missing: wanted a value for this input of node repeat, or for shout.output" in missing.err
    assert "did you mean 'repeat'" in run("flow", "test", str(folder), "--node", "repaet").err


def test_a_prompty_runs_on_its_sample_and_says_who_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_CONNECTIONS_HOME", str(tmp_path / "home"))
    model = "{configuration: {type: azure_openai, connection: mine, azure_deployment: d}}"
    path = tmp_path / "ask.prompty"
    path.write_text(f"---\nname: ask\nmodel: {model}\nsample: {{question: What is it?}}\n---\nuser:\n{{{{question}}}}")
    said = run("flow", "test", str(path))
    assert said.code == 0
    assert "connection 'mine' of node ask is not known here: the offline engine answers in its place" in said.err


def test_a_class_is_made_with_what_is_given(tmp_path: Path) -> None:
    (tmp_path / "flow.flex.yaml").write_text("entry: work:Judge\nsample: {inputs: {x: 5}, init: {limit: 9}}\n")
    code = "class Judge:\n    def __init__(self, limit: int): self.limit = limit\n"
    code += "    def __call__(self, x: int): return {'good': x >= self.limit}\n"
    code += "    def __aggregate__(self, line_results): return {'good': sum(r['good'] for r in line_results)}\n"
    (tmp_path / "work.py").write_text(code)
    (tmp_path / "init.json").write_text('{"limit": 3}')
    assert run("flow", "test", str(tmp_path), "--json").answer["outputs"] == {"good": False}
    made = run("flow", "test", str(tmp_path), "--init", str(tmp_path / "init.json"), "--json").answer
    assert (made["outputs"], made["metrics"]) == ({"good": True}, {"good": 1})
    assert run("flow", "test", str(tmp_path), "--init", "limit=6", "--json").answer["outputs"] == {"good": False}


def test_a_chat_keeps_its_turns_and_goes_on_after_a_failure(tmp_path: Path) -> None:
    (tmp_path / "flow.flex.yaml").write_text("entry: work:chat\n")
    (tmp_path / "work.py").write_text(CHAT)
    done = CliRunner().invoke(
        opsloop, ["flow", "test", str(tmp_path), "--interactive"], input="one\nfail\ntwo\n", standalone_mode=False
    )
    assert done.exception is None
    assert [line for line in done.stdout.splitlines() if "after" in line] == ["one after 0", "two after 2"]
    assert "ValueError: no" in done.stderr


def test_a_flow_that_is_no_chat_says_so(folder: Path) -> None:
    said = run("flow", "test", str(folder), "--interactive")
    assert said.code == 2
    assert "wanted a chat flow" in said.err


def test_a_file_of_inputs_that_is_none_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "inputs.json").write_text("[1]")
    assert (
        "--inputs: is [1]; wanted a JSON object"
        in run("flow", "test", str(folder), "--inputs", str(tmp_path / "inputs.json")).err
    )
    assert json.loads(run("flow", "test", str(folder), "--json").out)["outputs"]
