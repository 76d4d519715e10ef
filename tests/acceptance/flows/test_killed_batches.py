"""A batch that is killed again and again, against a model server that counts its calls."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from opsloop.flows import batch_runs
from opsloop.flows.lines import entry_of
from opsloop.testing.model_server import ModelServer
from tests.acceptance.cli.test_process import environment

ROWS = 500
# TESTS_LONG=1 asks for the long form.
KILLS = 20 if os.environ.get("TESTS_LONG") else 8
CONCURRENCY = 8
OPSLOOP = [sys.executable, "-m", "opsloop.cli.main"]
FLOW = """\
inputs: {question: {type: string}}
outputs: {answer: {type: string, reference: "${last.output}"}}
nodes:
- {name: first, type: llm, source: {path: ask.jinja2}, inputs: {model: m, text: "${inputs.question}"}}
- {name: join, type: python, source: {path: join.py}, inputs: {question: "${inputs.question}", said: "${first.output}"}}
- {name: last, type: llm, source: {path: ask.jinja2}, inputs: {model: m, text: "${join.output}"}}
"""
JOIN = """\
from promptflow.core import tool

@tool
def join(question: str, said: str) -> str:
    return question + ", last"
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "ask"
    folder.mkdir()
    (folder / "flow.dag.yaml").write_text(FLOW)
    (folder / "join.py").write_text(JOIN)
    (folder / "ask.jinja2").write_text("user:\n{{text}}\n")
    rows = [json.dumps({"question": f"question {number:03}"}) for number in range(ROWS)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    return tmp_path


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait for a condition, or for the end of the process."""
    for _ in range(60_000):
        if condition() or process.poll() is not None:
            return
        time.sleep(0.002)
    raise AssertionError("nothing happened for two minutes")


def has_called(server: ModelServer, times: int, journal: Path) -> bool:
    return journal.exists() and len(server.calls) >= times


def asked(server: ModelServer) -> Counter[str]:
    """How often each prompt was received."""
    return Counter(call.json["messages"][-1]["content"] for call in server.calls if call.body)


def paid_for(journal: Path) -> list[str]:
    """The prompts whose answers are kept: those of finished rows, and of others the calls that ended."""
    entries = [entry for line in journal.read_bytes().split(b"\n") if (entry := entry_of(line)) is not None]
    finished = {entry["row"]: 2 for entry in entries if "row" in entry}
    ended = Counter(entry["of_row"] for entry in entries if "call" in entry) | Counter(finished)
    return [prompt for row, calls in ended.items() for prompt in prompts_of(row)[:calls]]


def prompts_of(row: int) -> tuple[str, str]:
    return f"question {row:03}", f"question {row:03}, last"


def test_a_batch_killed_at_twenty_moments_has_each_row_once_and_pays_no_finished_call_again(place: Path) -> None:
    moments = random.Random(2027)
    journal = place / ".opsloop" / "runs" / "night" / "journal.jsonl"
    begin = ("ask", "--data", "rows.jsonl", "--name", "night")
    repeated_at_most = 0
    paid: Counter[str] = Counter()
    with ModelServer(latency_ms=(1, 30)) as server:
        env = environment(**server.environment)
        for _ in range(KILLS):
            more = ("--resume", "night") if journal.parent.joinpath("run.json").is_file() else begin
            wanted = len(server.calls) + moments.randint(0, 60)
            command = [*OPSLOOP, "flow", "batch", *more, "--concurrency", str(CONCURRENCY)]
            process = subprocess.Popen(command, cwd=place, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                until(partial(has_called, server, wanted, journal), process)
                assert process.poll() is None, process.communicate()
            finally:
                process.send_signal(signal.SIGKILL)
                process.communicate()
            repeated_at_most += CONCURRENCY
            counts = asked(server)
            paid |= Counter({prompt: counts[prompt] for prompt in paid_for(journal)})
        last = subprocess.run(
            [*OPSLOOP, "flow", "batch", "--resume", "night", "--json", "--output", "out.jsonl"],
            cwd=place,
            env=env,
            capture_output=True,
            check=False,
        )
        counts = asked(server)

    assert last.returncode == 0, last.stderr
    rows = [json.loads(line) for line in (place / "out.jsonl").read_text().splitlines()]
    assert [row["row"] for row in rows] == list(range(1, ROWS + 1))
    assert [row["inputs"]["question"] for row in rows] == [f"question {number:03}" for number in range(ROWS)]
    assert all(row["outputs"]["answer"] for row in rows)
    # No call again whose answer was kept at a kill; of all others only those in work at one.
    assert {prompt: counts[prompt] for prompt in paid} == dict(paid)
    assert set(counts) == {prompt for row in range(ROWS) for prompt in prompts_of(row)}
    assert sum(counts.values()) - 2 * ROWS <= repeated_at_most
    run = batch_runs.get(place / ".opsloop" / "runs", "night")
    assert (run.status.value, run.completed_rows, run.failed_rows, run.tokens.calls) == ("completed", 500, 0, 1000)
