"""`opsloop connection`: kept, listed, shown without secrets, forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from opsloop.cli.main import opsloop
from tests.acceptance.in_process import run

AZURE = "name: open_ai_connection\ntype: azure_open_ai\napi_key: <user-input>\napi_base: https://a.example\n"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPSLOOP_CONNECTIONS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("OPSLOOP_PROJECT", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("azure.yml").write_text(AZURE)
    return tmp_path


def test_it_is_kept_for_this_user_and_its_secret_is_never_shown(place: Path) -> None:
    created = run("connection", "create", "--file", "azure.yml", "--set", "api_key=s3cret")
    assert created.code == 0
    assert f"created in {place}/home/connections.json" in created.out
    again = run("connection", "create", "--file", "azure.yml", "--set", "api_key=0ther", "--json")
    listed = run("connection", "list")
    shown = run("connection", "show", "open_ai_connection")
    assert "api_key: ***" in shown.out
    for said in (created, again, listed, shown, run("connection", "list", "--json")):
        assert "s3cret" not in said.out + said.err
        assert "0ther" not in said.out + said.err
    assert listed.out.splitlines()[1].split()[0] == "open_ai_connection"


def test_a_secret_can_come_from_stdin() -> None:
    words = ["connection", "create", "--file", "azure.yml", "--set", "api_key=-"]
    assert CliRunner().invoke(opsloop, words, input="s3cret\n", standalone_mode=False).exception is None
    from opsloop.flows.connections import lookup

    assert lookup.here().need("open_ai_connection").secrets == {"api_key": "s3cret"}


def test_in_a_project_it_is_the_projects(place: Path) -> None:
    Path("opsloop.yaml").write_text("project: p\n")
    said = run("connection", "create", "--file", "azure.yml", "--name", "mine", "--set", "api_key=${env:KEY}")
    assert f"connection mine (azure_open_ai) created in {place}/here/.opsloop/connections.json" in said.out
    assert run("connection", "show", "mine", "--json").answer["api_base"] == "https://a.example"


def test_one_that_is_deleted_is_gone_and_one_that_is_not_there_is_told() -> None:
    run("connection", "create", "--file", "azure.yml", "--set", "api_key=x")
    assert run("connection", "delete", "open_ai_connection").code == 0
    assert "no connections yet" in run("connection", "list").out
    for verb in ("show", "delete"):
        said = run("connection", verb, "open_ai_connection")
        assert said.code == 3
        assert "no connection 'open_ai_connection'" in said.err


def test_a_blank_in_the_file_is_told() -> None:
    said = run("connection", "create", "--file", "azure.yml")
    assert said.code == 2
    assert "azure.yml.api_key is '<user-input>'; wanted a value in its place: --set FIELD=VALUE" in said.err
