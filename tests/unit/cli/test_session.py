from __future__ import annotations

import json
import sys

import click
import pytest
from click.testing import CliRunner

from opsloop.cli.progress import Progress
from opsloop.cli.session import Session
from opsloop.cli.verbs import lone


@lone("chatty", example="opsloop chatty")
def chatty(session: Session) -> None:
    print("a flow's own words")
    session.note("working")
    session.answer({"n": 1}, "one\x1b[31m")


def test_json_alone_is_on_stdout_whatever_else_prints() -> None:
    done = CliRunner().invoke(chatty, ["--json"])

    assert json.loads(done.stdout) == {"n": 1}
    assert done.stderr == "a flow's own words\n"


def test_people_get_words_that_cannot_steer_their_terminal() -> None:
    done = CliRunner().invoke(chatty)

    assert done.stdout == "one�[31m\n"
    assert done.stderr == "a flow's own words\nworking\n"


def test_the_function_is_declared_with_its_help_and_example() -> None:
    assert isinstance(chatty, click.Command)
    assert "Example:\n    opsloop chatty" in CliRunner().invoke(chatty, ["--help"]).output


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("evaluating") as progress:
        progress(1, 2)

    assert capsys.readouterr() == ("", "")


def test_progress_is_drawn_for_a_person_who_waits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("opsloop.cli.progress.DELAY_S", 0.0)
    with Progress("evaluating") as progress:
        progress(1, 2, "row 1")

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "evaluating: row 1" in captured.err
