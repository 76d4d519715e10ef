"""The command as a user starts it: a process, its two streams, its exit code."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

OPSLOOP = [sys.executable, "-m", "opsloop.cli.main"]


def environment(**extra: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPSLOOP_")}
    return kept | extra


def opsloop(*arguments: str, cwd: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*OPSLOOP, *arguments], cwd=cwd, env=environment(**extra), capture_output=True, text=True, timeout=120
    )


def test_help_lists_the_nouns_and_the_exit_codes(tmp_path: Path) -> None:
    done = opsloop("--help", cwd=tmp_path)

    assert done.returncode == 0
    assert done.stderr == ""
    for word in ("apply", "data", "release", "audit", "6 the answer is no", "OPSLOOP_URL"):
        assert word in done.stdout


def test_without_a_command_the_help_is_shown_as_wrong_usage(tmp_path: Path) -> None:
    done = opsloop(cwd=tmp_path)

    assert done.returncode == 2
    assert "Usage: opsloop" in done.stderr


def test_the_version_is_told(tmp_path: Path) -> None:
    done = opsloop("--version", cwd=tmp_path)

    assert (done.returncode, done.stdout.startswith("opsloop ")) == (0, True)


def test_a_server_that_is_not_there_is_exit_code_7_and_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        done = opsloop("data", "list", "--json", cwd=tmp_path, OPSLOOP_URL=url)

    assert done.returncode == 7
    assert done.stdout == ""
    assert done.stderr.startswith(f"opsloop: {url} does not answer")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("endpoint: {}", "opsloop.yaml:1: endpoint is not known; did you mean 'endpoints'?"),
        ("settings: {port: nine}", "setting port: is 'nine'; wanted"),
        ("a: [", "opsloop.yaml:1: not valid YAML"),
    ],
)
def test_a_wrong_project_file_is_exit_code_2(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "opsloop.yaml").write_text(content)
    done = opsloop("data", "list", cwd=tmp_path)

    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_project_that_is_named_and_not_there_is_exit_code_3(tmp_path: Path) -> None:
    done = opsloop("data", "list", "--project", str(tmp_path / "nowhere"), cwd=tmp_path)

    assert done.returncode == 3
    assert "make a project with `opsloop init DIR --template NAME`" in done.stderr


def test_a_new_project_is_made_once(tmp_path: Path) -> None:
    first = opsloop("init", "chat", "--template", "support-chatbot", "--json", cwd=tmp_path)
    again = opsloop("init", "chat", "--template", "support-chatbot", cwd=tmp_path)
    unnamed = opsloop("init", "other", cwd=tmp_path)
    unknown = opsloop("init", "other", "--template", "nothing", cwd=tmp_path)

    assert json.loads(first.stdout)["template"] == "support-chatbot"
    assert (tmp_path / "chat" / "opsloop.yaml").is_file()
    assert (again.returncode, unnamed.returncode, unknown.returncode) == (5, 2, 3)
    for refused in (unnamed, unknown):
        assert "there is bike-rentals, document-search, house-prices, iris," in refused.stderr
    assert not (tmp_path / "other").exists()
    assert opsloop("flow", "show", "flows/answer", cwd=tmp_path / "chat").stdout.startswith("flowchart")


def test_doctor_finds_nothing_wrong_with_a_new_project_and_says_what_is_broken(tmp_path: Path) -> None:
    opsloop("init", "chat", "--template", "support-chatbot", cwd=tmp_path)
    good = opsloop("doctor", "--json", cwd=tmp_path / "chat")
    (tmp_path / "chat" / ".opsloop").mkdir()
    (tmp_path / "chat" / ".opsloop" / "state.db").write_bytes(b"no database at all" * 100)
    bad = opsloop("doctor", "--json", cwd=tmp_path / "chat")

    assert good.returncode == 0
    assert json.loads(good.stdout)["ok"] is True
    assert bad.returncode == 1
    broken = [each for each in json.loads(bad.stdout)["findings"] if each["state"] == "broken"]
    assert "is damaged" in broken[0]["found"]
    assert "Traceback" not in bad.stderr


FLOW = """\
inputs:
  question: {type: string}
  count: {type: int, default: 2}
outputs:
  answer: {type: string, reference: "${echo.output}"}
nodes:
- name: echo
  type: python
  source: {type: code, path: echo.py}
  inputs: {question: "${inputs.question}", count: "${inputs.count}"}
"""
ECHO = """\
from promptflow.core import tool

@tool
def echo(question: str, count: int) -> str:
    print("a tool that prints")
    if question == "bad":
        raise ValueError("no such word")
    return question * count
"""


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    (tmp_path / "echo").mkdir()
    (tmp_path / "echo" / "flow.dag.yaml").write_text(FLOW)
    (tmp_path / "echo" / "echo.py").write_text(ECHO)
    return tmp_path


def test_a_flow_runs_here_and_only_its_answer_is_on_stdout(flow: Path) -> None:
    words = opsloop("flow", "run", "echo", "--input", "question=ab", cwd=flow)
    document = opsloop("flow", "run", "echo", "--input", "question=ab", "--input", "count=3", "--json", cwd=flow)
    failed = opsloop("flow", "run", "echo", "--input", "question=bad", cwd=flow)

    assert words.stdout == "abab\n"
    assert words.stderr == "a tool that prints\n"
    assert json.loads(document.stdout)["outputs"] == {"answer": "ababab"}
    assert failed.returncode == 1
    assert "no such word" in failed.stderr
    assert not (flow / ".opsloop").exists()


def test_a_batch_keeps_going_past_a_bad_row_and_resumes(flow: Path) -> None:
    (flow / "rows.csv").write_text("q,count\na,1\nbad,1\nc,2\n")
    arguments = (
        "flow",
        "batch",
        "echo",
        "--data",
        "rows.csv",
        "--map",
        "question=${data.q}",
        "--map",
        "count=${data.count}",
    )
    done = opsloop(*arguments, "--journal", "rows.journal", "--output", "out.jsonl", "--json", cwd=flow)
    (flow / "echo" / "echo.py").write_text(ECHO)
    again = opsloop(*arguments, "--journal", "rows.journal", cwd=flow)

    assert done.returncode == again.returncode == 1
    assert "1 of 3 rows failed; the first is row 2" in done.stderr
    assert [row["outputs"].get("answer") for row in json.loads(done.stdout)["rows"]] == ["a", None, "cc"]
    assert len((flow / "out.jsonl").read_text().splitlines()) == 3
    assert "a tool that prints" not in again.stderr


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ('{"q": 1}\nnope\n', "rows.jsonl, line 2, column 1: wanted valid JSON"),
        ('{"q": NaN}\n', "rows.jsonl, line 1: wanted JSON numbers; NaN is none"),
        ("[1]\n", "rows.jsonl, line 1: is [1]; wanted a JSON object on every line"),
        ("", "at least one row; it is empty"),
        (b'{"q": "caf\xe9"}\n', "rows.jsonl, line 1, column 11: is b'\\xe9'; wanted UTF-8 text"),
    ],
)
def test_rows_that_cannot_be_read_are_exit_code_2_with_the_line(flow: Path, data: str | bytes, sentence: str) -> None:
    (flow / "rows.jsonl").write_bytes(data if isinstance(data, bytes) else data.encode())
    done = opsloop("flow", "batch", "echo", "--data", "rows.jsonl", cwd=flow)

    assert done.returncode == 2
    assert sentence in done.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    shell = f"{sys.executable} -m opsloop.cli.main --help | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", shell], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )

    assert done.stdout.startswith("Usage")
    assert done.stderr == ""


def test_interrupting_is_exit_code_130(flow: Path) -> None:
    slow = ECHO.replace(
        "    if question",
        "    import sys, time; print('running', file=sys.stderr, flush=True); time.sleep(60)\n    if question",
    )
    (flow / "echo" / "echo.py").write_text(slow)
    process = subprocess.Popen(
        [*OPSLOOP, "flow", "run", "echo", "--input", "question=a"],
        cwd=flow,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    seen = ""
    while "running" not in seen:
        seen += process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)

    assert process.returncode == 130
    assert rest.endswith("opsloop: interrupted\n")


def test_the_shell_completes_commands_without_loading_them(tmp_path: Path) -> None:
    done = subprocess.run(
        OPSLOOP,
        cwd=tmp_path,
        env=environment(_OPSLOOP_COMPLETE="bash_complete", COMP_WORDS="opsloop re", COMP_CWORD="1"),
        capture_output=True,
        text=True,
    )

    assert "plain,release" in done.stdout
