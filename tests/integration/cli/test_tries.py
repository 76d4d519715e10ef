"""What `opsloop up` proposes to type next comes from the project, whatever it is about."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from opsloop.cli.demo import tries
from opsloop.client.apply import perform
from opsloop.client.http import Client
from opsloop.client.plan import make
from opsloop.client.project import Project, load

FLOW = """\
inputs:
  text: {type: string, is_chat_input: CHAT}
outputs:
  said: {type: string, reference: "${echo.output}", is_chat_output: CHAT}
nodes:
- name: echo
  type: python
  source: {type: code, path: echo.py}
  inputs: {text: "${inputs.text}"}
"""
ECHO = "from promptflow.core import tool\n\n\n@tool\ndef echo(text: str) -> str:\n    return text\n"
EXPERIMENT = """\
name: echoes
datasets:
- {name: words, source: words.jsonl, mappings: {text: "${data.word}"}}
evaluators:
- {name: exact_match, mappings: {answer: "${run.outputs.said}", truth: "${data.word}"}}
"""
ENDPOINT = "endpoints: {echo: {flow: flow, experiment: echoes}}\n"


def project(folder: Path, *, chat: bool, word: str, endpoint: str = ENDPOINT) -> Project:
    (folder / "flow").mkdir()
    (folder / "flow" / "flow.dag.yaml").write_text(FLOW.replace("CHAT", str(chat).lower()))
    (folder / "flow" / "echo.py").write_text(ECHO)
    (folder / "words.jsonl").write_text(json.dumps({"word": word}) + "\n")
    (folder / "experiment.yaml").write_text(EXPERIMENT)
    (folder / "opsloop.yaml").write_text(f"experiments: {{echoes: {{file: experiment.yaml}}}}\n{endpoint}")
    return load(folder)


def applied(found: Project) -> list[str]:
    with Client(project=found.folder) as client:
        list(perform(client, found, make(client, found)))
        return tries.commands(client, found, "http://here")


@pytest.mark.parametrize(
    ("chat", "route", "body"),
    [
        (True, "/v1/chat/completions", {"model": "echo", "messages": [{"role": "user", "content": "it's ü"}]}),
        (False, "/endpoints/echo/invoke", {"inputs": {"text": "it's ü"}}),
    ],
)
def test_an_endpoint_is_asked_with_the_first_row_of_its_data(
    tmp_path: Path, chat: bool, route: str, body: object
) -> None:
    asking, history, audit = applied(project(tmp_path, chat=chat, word="it's ü"))
    command, url, option, said = shlex.split(asking)

    assert (command, url, option) == ("curl", f"http://here{route}", "-d")
    assert json.loads(said) == body
    assert history == f"opsloop release history echo --project {tmp_path}"
    assert audit == f"opsloop audit verify --project {tmp_path}"


def test_what_is_too_long_to_read_is_not_proposed(tmp_path: Path) -> None:
    commands = applied(project(tmp_path, chat=True, word="word " * 200))
    assert [command.split()[1] for command in commands] == ["release", "audit"]


@pytest.mark.parametrize("endpoint", ["endpoints: {echo: {flow: flow}}\n", ""])
def test_without_an_endpoint_or_its_data_nothing_is_asked(tmp_path: Path, endpoint: str) -> None:
    commands = applied(project(tmp_path, chat=True, word="a", endpoint=endpoint))
    assert not any(command.startswith("curl") for command in commands)
    assert commands[-1].startswith("opsloop audit verify")
