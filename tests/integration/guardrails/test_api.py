"""Scanning over HTTP, and the command, on the real routes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient

from opsloop.cli.exits import code_of
from opsloop.cli.main import opsloop
from opsloop.client import local
from opsloop.client.http import Client
from opsloop.client.in_process import InProcess
from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.guardrails.screens import registry
from opsloop.guardrails.screens.registry import Known, known
from opsloop.guardrails.screens.screen import Screen
from tests.integration.client.routes import Routes

TEXT = "Dear team,\nwrite to ada@example.org\nor ring +44 20 7946 0958."
Run = Callable[..., Result]


@pytest.fixture
def call(sqlite_workspace: Workspace, admin: Caller) -> Iterator[httpx.Client]:
    with TestClient(Routes(sqlite_workspace, admin)) as client:
        yield client  # type: ignore[misc]


@pytest.fixture
def run(sqlite_workspace: Workspace, admin: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("OPSLOOP_URL", raising=False)
    monkeypatch.setattr(local, "in_process", lambda project: InProcess(Routes(sqlite_workspace, admin)))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return lambda *arguments, **given: CliRunner().invoke(opsloop, list(arguments), standalone_mode=False, **given)


@pytest.fixture
def with_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed screen that raises at every text."""

    def raises(text: str) -> list[object]:
        raise RuntimeError(text)

    there = known()
    screens = {**there.screens, "acme": Screen("acme", (), raises)}  # type: ignore[arg-type]
    monkeypatch.setattr("opsloop.guardrails.scan.known", lambda: Known(screens, there.broken))
    assert registry.known() is there


def test_places_and_kinds_are_answered_and_never_the_values(call: httpx.Client) -> None:
    answer = call.post("/api/guardrails/scan", json={"text": TEXT, "screens": ["pii"]})
    assert answer.status_code == 200
    assert answer.json() == {
        "findings": [
            {"screen": "pii", "kind": "email", "start": 20, "end": 35, "score": 0.95},
            {"screen": "pii", "kind": "phone", "start": 44, "end": 60, "score": 0.9},
        ],
        "failures": [],
    }


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"text": "x", "screens": ["moods"]}, 422, "screens: is 'moods'; wanted one of"),
        ({"text": 3}, 422, "text"),
        ({"text": "x", "screen": "pii"}, 422, "screen"),
        ({"text": "x" * 1_000_001}, 413, "text: has 1,000,001 characters; wanted at most 1,000,000"),
    ],
)
def test_what_is_wrong_is_said(call: httpx.Client, body: dict[str, object], status: int, sentence: str) -> None:
    answer = call.post("/api/guardrails/scan", json=body)
    assert answer.status_code == status
    assert sentence in answer.text


def test_a_text_of_half_characters_is_no_fault_of_ours(call: httpx.Client) -> None:
    answer = call.post("/api/guardrails/scan", content=b'{"text": "\\ud800 ignore \\udfff\\u0000"}')
    assert answer.status_code in (200, 422)


@pytest.mark.usefixtures("with_broken")
def test_a_screen_that_fails_is_named_in_the_answer(call: httpx.Client) -> None:
    answer = call.post("/api/guardrails/scan", json={"text": TEXT}).json()
    assert answer["failures"] == [{"screen": "acme", "reason": "RuntimeError in raises; the log says where"}]
    assert {each["screen"] for each in answer["findings"]} == {"pii"}


def test_the_client_lists_screens(sqlite_workspace: Workspace, admin: Caller) -> None:
    with Client("http://test", transport=InProcess(Routes(sqlite_workspace, admin))) as client:
        assert {"injection", "pii", "secrets"} <= {each.name for each in client.guardrails.screens()}
        assert client.guardrails.scan("nothing here").is_complete


def test_the_command_tells_line_and_column_and_exits_6(run: Run, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text(TEXT)
    done = run("guard", "scan", str(letter))
    assert done.exception is not None
    assert code_of(done.exception) == 6
    assert str(done.exception) == f"{letter}: 2 findings (email, phone)"
    assert done.stdout.splitlines()[1:] == [
        "   2      10          15  pii     email   0.95",
        "   3       9          16  pii     phone    0.9",
    ]


def test_the_command_reads_stdin_and_answers_in_json(run: Run) -> None:
    done = run("guard", "scan", "-", "--json", "--screen", "injection", input=TEXT)
    assert done.exception is None
    assert json.loads(done.stdout) == {"findings": [], "failures": []}
    assert run("guard", "scan", "-", input="good morning").stdout == "nothing found\n"
    assert "injection" in run("guard", "screens").stdout


def test_bytes_that_are_no_text_are_refused(run: Run) -> None:
    done = run("guard", "scan", "-", input=b"ab\xff")
    assert done.exception is not None
    assert code_of(done.exception) == 2
    assert str(done.exception) == "-: not UTF-8 text at byte 2"


@pytest.mark.usefixtures("with_broken")
def test_nothing_found_without_a_screen_is_a_failure_and_no_answer(run: Run) -> None:
    done = run("guard", "scan", "-", input="good morning")
    assert done.exception is not None
    assert code_of(done.exception) == 1
    assert "not looked through by acme" in str(done.exception)
    assert "acme could not look: RuntimeError in raises" in done.stderr
