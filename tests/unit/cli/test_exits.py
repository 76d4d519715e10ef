from __future__ import annotations

from pathlib import Path

import click
import pytest

from opsloop.cli import exits
from opsloop.cli.main import run
from opsloop.client.errors import ServerUnreachable
from opsloop.core import errors
from opsloop.core.errors import Kind


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.Failed("x"), 1),
        (errors.TimedOut("x"), 1),
        (ValueError("x"), 1),
        (errors.InvalidInput("x"), 2),
        (errors.TooLarge("x"), 2),
        (click.UsageError("x"), 2),
        (errors.NotFound("x"), 3),
        (errors.Denied("x"), 4),
        (errors.Unauthenticated("x"), 4),
        (errors.Conflict("x"), 5),
        (errors.AnswerIsNo("x"), 6),
        (ServerUnreachable(where="x", reason="y"), 7),
        (errors.StillPending("x"), 8),
        (click.exceptions.Abort(), 130),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_each_kind_of_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert exits.code_of(error) == code


def test_no_kind_is_without_a_code() -> None:
    classes = [
        each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.OpsloopError)
    ]

    assert {each.kind for each in classes} == set(Kind)
    for each in classes:
        exits.code_of(each("x"))


def test_an_error_is_one_sentence_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert exits.report(errors.NotFound(noun="flow", name="x")) == 3

    assert capsys.readouterr().err == "opsloop: no flow named 'x'\n"


def test_a_name_that_would_steer_the_terminal_stays_on_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    exits.report(errors.NotFound("no flow named \x1b[2J\nopsloop: all is well"))

    assert capsys.readouterr().err == "opsloop: no flow named \N{REPLACEMENT CHARACTER}[2J opsloop: all is well\n"


def test_a_file_that_cannot_be_used_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(OSError) as fault:
        (tmp_path / "nowhere" / "trail.jsonl").write_bytes(b"")
    assert exits.report(fault.value) == 1

    assert capsys.readouterr().err == f"opsloop: {tmp_path}/nowhere/trail.jsonl: No such file or directory\n"


def test_a_defect_is_told_as_one_and_debugging_shows_where(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exits.report(TypeError("oops")) == 1
    quiet = capsys.readouterr().err
    monkeypatch.setenv("OPSLOOP_DEBUG", "1")
    try:
        raise TypeError("oops")
    except TypeError as error:
        exits.report(error)

    assert quiet.startswith("opsloop: something went wrong inside opsloop (TypeError: oops)")
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["adit"], "opsloop: No such command 'adit'. Did you mean 'audit'? See `opsloop --help`\n"),
        (["audit", "lst"], "opsloop: No such command 'lst'. Did you mean 'list'? See `opsloop audit --help`\n"),
        (["audit", "verify", "--key", "k"], "give both FILE and --key; see `opsloop audit verify --help`\n"),
        (["token", "create"], "opsloop: Missing argument 'NAME'; see `opsloop token create --help`\n"),
    ],
)
def test_wrong_usage_is_code_2_with_the_way_to_the_help(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith(sentence)
    assert captured.err.count("\n") == 1
