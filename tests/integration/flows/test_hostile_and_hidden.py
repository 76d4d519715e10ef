"""What must hold whatever comes: no input holds up the process, no secret is written, no state leaks between rows."""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsloop.flows.batch import run_batch
from opsloop.flows.errors import FlowInvalid
from opsloop.flows.formats.chat_prompt import marked, messages
from opsloop.flows.loaded import load
from opsloop.flows.results import FlowResult, TextDelta
from opsloop.flows.values import journalled, plain
from opsloop.flows.working_folder import at_home
from opsloop.testing.model_server import ModelServer
from tests.acceptance.in_process import run

WriteFlow = Callable[..., Path]
MANY = 2_000_000


@pytest.mark.timeout(60)
@pytest.mark.parametrize("filler", [" ", "\t", "#", "\n", "# ", ":", "system", "name:\n", " \n"])
@pytest.mark.parametrize(
    "head", ["user:\n", "function:\nname:\n", "tool:\ntool_call_id:\n", "assistant:\ntool_calls:\n"]
)
def test_megabytes_of_anything_are_split_in_a_moment(filler: str, head: str) -> None:
    value = filler * (MANY // len(filler)) + "x"
    assert messages(f"{head}{marked(value)}")
    assert messages(f"{head}{filler}{'y' * 10}{value}".replace("system", "s"))


def flex(folder: Path, code: str, name: str = "inner", **files: str) -> Path:
    place = folder / name
    place.mkdir()
    (place / "flow.flex.yaml").write_text("entry: work:run\n")
    for file, text in {"work.py": code, **files}.items():
        (place / file).write_text(text)
    return place


PROMPTY = """---
model: {configuration: {connection: oa, type: openai, model: m}}
inputs: {q: {type: string}}
---
user:
{{q}}
"""
ASKS = """
from pathlib import Path
from promptflow.core import Prompty
async def run(q: str, chat_history: list = None):
    return Prompty.load(Path(__file__).parent / "ask.prompty")(q=q)
"""


@pytest.mark.timeout(60)
def test_a_flow_called_by_a_flow_that_runs_on_a_loop_does_not_wait_for_itself(tmp_path: Path) -> None:
    flex(tmp_path, ASKS, **{"ask.prompty": PROMPTY})
    code = "from promptflow.core import Flow\nasync def run(q: str):\n    return Flow.load('INNER')(q=q)['output']\n"
    outer = flex(tmp_path, code.replace("INNER", str(tmp_path / "inner")), "outer")
    assert isinstance(load(outer).run_sync({"q": "hi"}).outputs["output"], str)


def test_a_stream_asks_the_flows_own_connections(tmp_path: Path) -> None:
    with ModelServer() as server:
        mine = {"type": "open_ai", "api_key": "k", "base_url": server.base_url}
        flow = load(flex(tmp_path, ASKS, **{"ask.prompty": PROMPTY}), connections={"oa": mine})

        async def events() -> list[TextDelta | FlowResult]:
            return [event async for event in flow.stream({"q": "one"})]

        result = asyncio.run(events())[-1]
        assert isinstance(result, FlowResult)
        assert result.outputs == {"output": "You said: one"} == flow.run_sync({"q": "one"}).outputs


def test_a_row_never_meets_the_state_of_another(tmp_path: Path) -> None:
    code = """
import threading
both = threading.Barrier(2, timeout=60)
class run:
    def __call__(self, n: int):
        self.n = n
        both.wait()
        return {"same": self.n == n}
"""
    done = asyncio.run(run_batch(load(flex(tmp_path, code)), [{"n": n} for n in range(8)], concurrency=2))
    assert [row.outputs for row in done.rows] == [{"same": True}] * 8


def test_no_secret_of_a_connection_is_written_anywhere(write_flow: WriteFlow) -> None:
    dag = """
        outputs: {y: {type: object, reference: "${work.output}"}}
        nodes:
        - {name: work, type: python, source: {path: work.py}, inputs: {connection: mine}}
    """
    code = (
        "from promptflow.core import tool, OpenAIModelConfiguration\n@tool\ndef work(connection: 'CustomConnection'):\n"
    )
    code += "    return [connection, {'c': connection}, OpenAIModelConfiguration('m', api_key=connection.key)]\n"
    mine = {"configs": {"url": "http://x"}, "secrets": {"key": "s3cret"}}
    result = load(write_flow(dag, **{"work.py": code}), connections={"mine": mine}).run_sync({})
    for written in (plain(result.outputs), journalled(result.outputs), plain(result.nodes)):
        assert "s3cret" not in json.dumps(written)
    assert plain(result.outputs)["y"][0] == {"connection": "mine", "type": "CustomConnection"}


def test_python_is_loaded_where_its_files_are(tmp_path: Path) -> None:
    place = flex(
        tmp_path,
        "import pathlib\nDATA = pathlib.Path('data.txt').read_text()\ndef run(): return DATA\n",
        **{"data.txt": "here"},
    )
    assert run("flow", "run", str(place)).out == "here\n"


def test_a_flow_is_loaded_anew_when_its_connections_or_includes_change(
    tmp_path: Path, write_flow: WriteFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "shared.py").write_text("N = 1\n")
    dag = """
        additional_includes: [../shared.py]
        outputs: {y: {type: object, reference: "${work.output}"}}
        nodes: [{name: work, type: python, source: {path: work.py}, inputs: {c: mine}}]
    """
    code = "import shared\nfrom promptflow.core import tool\n@tool\n"
    code += "def work(c: 'CustomConnection'): return [c.k, shared.N]\n"
    flow = write_flow(dag, **{"work.py": code})
    Path("connections.yaml").write_text("mine: {configs: {k: one}}\n")
    assert load(flow).run_sync({}).outputs == {"y": ["one", 1]}
    assert load(flow) is load(flow)
    Path("connections.yaml").write_text("mine: {configs: {k: three}}\n")
    (tmp_path / "shared.py").write_text("N = 22\n")
    assert load(flow).run_sync({}).outputs == {"y": ["three", 22]}


def test_what_cannot_be_loaded_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "shared.txt").write_text("x")
    place = flex(tmp_path, "raise ValueError('no')\ndef run(): pass\n")
    (place / "flow.flex.yaml").write_text("entry: work:run\nadditional_includes: [../shared.txt]\n")
    with pytest.raises(FlowInvalid, match="ValueError: no"):
        load(place)
    assert list((tmp_path / "temp").iterdir()) == []


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("environment: x", "environment is 'x'; wanted a mapping"),
        ("environment_variables: [a]", r"environment_variables is \['a'\]; wanted a mapping"),
        ("additional_includes: 5", "additional_includes is 5; wanted a list"),
        ('environment_variables: {"A=B": x}', "wanted a name without '='"),
        ('code: "a\\0b"', "wanted a folder that is there"),
    ],
)
def test_a_flex_file_that_is_wrong_is_named(tmp_path: Path, more: str, sentence: str) -> None:
    place = flex(tmp_path, "def run(): pass\n")
    (place / "flow.flex.yaml").write_text(f"entry: work:run\n{more}\n")
    with pytest.raises(FlowInvalid, match=sentence):
        load(place)


def test_an_awaited_function_that_gives_a_generator_is_streamed_off_the_loop(tmp_path: Path) -> None:
    code = """
import threading
def pieces():
    yield threading.current_thread().name
    yield "!"
async def run(q: str):
    return pieces()
"""
    said: Any = load(flex(tmp_path, code)).run_sync({"q": "x"}).outputs["output"]
    assert said != f"{threading.current_thread().name}!"


@pytest.mark.parametrize("wide", ["{{ '%99999999d' % 1 }}", "{{ '%*d' % (99999999, 1) }}"])
def test_a_template_cannot_ask_for_a_field_without_end(tmp_path: Path, wide: str) -> None:
    (tmp_path / "x.prompty").write_text(f"---\nname: x\n---\n{wide}")
    said = run("flow", "run", str(tmp_path / "x.prompty"))
    assert said.code == 1
    assert "the sandbox refuses a field this wide" in said.err


def test_a_damaged_file_of_connections_shows_no_secret(tmp_path: Path) -> None:
    from opsloop.flows.connections import files

    for text in ("my: sk-SECRET", "my: {type: custom, secrets: sk-SECRET}", "sk-SECRET"):
        (tmp_path / "connections.yaml").write_text(text)
        with pytest.raises(Exception, match="wanted a mapping") as caught:
            files.read_many(tmp_path / "connections.yaml")
        assert "SECRET" not in str(caught.value)


def test_a_flow_keeps_its_working_folder(tmp_path: Path) -> None:
    before = Path.cwd()
    with at_home(tmp_path):
        assert Path.cwd() == tmp_path
    assert Path.cwd() == before
