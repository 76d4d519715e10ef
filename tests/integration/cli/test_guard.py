"""`opsloop guard` and `opsloop support` on a project of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from opsloop.cli.main import run
from opsloop.client.http import Client
from opsloop.core.caller import system
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.guardrails.policy import Policy
from opsloop.guardrails.support import service as support
from opsloop.guardrails.support.models import Said


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "opsloop.yaml").write_text("project: guarded\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPSLOOP_URL", raising=False)
    with Client() as client:
        client.endpoints.create("chat")
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == code
    out = capsys.readouterr().out
    return json.loads(out) if out else None


def said(capsys: pytest.CaptureFixture[str], arguments: Sequence[str], code: int = 0) -> str:
    capsys.readouterr()
    assert run(list(arguments)) == code
    found = capsys.readouterr()
    return found.out + found.err


def test_a_new_endpoint_has_the_default(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "guard", "show", "chat")
    assert found["version"] == 1
    assert found["policy"]["answers"] == {"pii": "redact", "postal_address": "flag", "secrets": "redact"}
    assert found["policy"]["stored"] == "redact"


def test_set_changes_what_is_named_and_nothing_else(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, *("guard", "set", "chat", "--request", "payment_card=block", "--allow", "*@acme.example"))
    assert found["version"] == 2
    assert found["policy"]["requests"]["payment_card"] == "block"
    assert found["policy"]["requests"]["pii"] == "flag"
    assert found["policy"]["allow"] == ["*@acme.example"]
    again = told(capsys, "guard", "set", "chat", "--request", "payment_card=block")
    assert again["version"] == 2
    with Client() as client:
        changed = [each for each in client.audit.listed() if each.action == "guardrails.changed"]
    assert len(changed) == 1


def test_a_policy_comes_from_a_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "policy.json").write_text('{"answers": {"iban": "escalate"}}')
    found = told(capsys, "guard", "set", "chat", "--file", "policy.json")
    assert (found["policy"]["answers"], found["policy"]["requests"]) == ({"iban": "escalate"}, {})


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--answer", "emial=redact"], 2, "did you mean 'email'?"),
        (["--answer", "email=hide"], 2, "wanted one of allow, flag, redact, block, escalate"),
        (["--answer", "email"], 2, "wanted KIND=ACTION"),
        (["--allow", "*"], 2, "guardrails.allow: is '*'"),
        (["--hand-over", "a\nb"], 2, "guardrails.hand_over"),
    ],
)
def test_what_is_wrong_is_named(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, sentence: str
) -> None:
    assert sentence in said(capsys, ["guard", "set", "chat", *arguments], code)


def test_an_endpoint_that_is_not_there_is_not_found(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no endpoint named 'nobody'" in said(capsys, ["guard", "show", "nobody"], 3)


def test_check_shows_what_would_be_done(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "guard", "check", "chat", "write to a@example.com")
    assert (found["outcome"], found["text"]) == ("redact", "write to [EMAIL]")
    told(capsys, "guard", "set", "chat", "--request", "email=block")
    found = told(capsys, "guard", "check", "chat", "write to a@example.com", "--request")
    assert (found["outcome"], found["text"]) == ("block", None)
    assert "nothing goes on: block" in said(capsys, ["guard", "check", "chat", "a@example.com", "--request"])


def test_hits_of_an_endpoint_nobody_called_are_none(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing was found in 0 requests" in said(capsys, ["guard", "hits", "chat"])


def test_a_case_is_claimed_answered_and_closed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing is waiting" in said(capsys, ["support", "list"])
    workspace = open_workspace(CoreSettings(data_dir=project / ".opsloop"))
    kept = support.keepable([Said("user", "I am a@example.com")], Policy())
    with workspace.writing(system("gateway")) as uow:
        ticket = support.open_case(uow, "chat", "req_1", kept, kinds=["email"], release="release_1")
    workspace.close()
    (case,) = told(capsys, "support", "list", "--state", "open")["items"]
    assert case["id"] == ticket.id
    assert "user: I am [EMAIL]" in said(capsys, ["support", "show", ticket.id])
    assert "claim it before" in said(capsys, ["support", "answer", ticket.id, "hello"], 5)
    assert told(capsys, "support", "claim", ticket.id)["state"] == "claimed"
    assert told(capsys, "support", "answer", ticket.id, "hello")["answer"] == "hello"
    assert "answered already" in said(capsys, ["support", "answer", ticket.id, "again"], 5)
    assert told(capsys, "support", "close", ticket.id)["state"] == "closed"
    assert "no case named 'case_x'" in said(capsys, ["support", "show", "case_x"], 3)
