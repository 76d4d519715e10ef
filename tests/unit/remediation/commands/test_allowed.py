"""Templates of commands: what may stand in them, and what is typed read against them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from opsloop.core.errors import InvalidInput
from opsloop.remediation.commands.allowed import AllowedCommand, Call
from opsloop.remediation.commands.errors import NotAllowedCommand
from opsloop.remediation.commands.parsing import parse_command

RESTART = AllowedCommand(argv=["systemctl", "restart", "{unit}.service"], parameters={"unit": r"[a-z][a-z0-9-]{0,30}"})
LEVEL = AllowedCommand(argv=["nice", "{level}", "{file}"], parameters={"level": r"-\d+", "file": r".*"})
ALLOWED = {"restart": RESTART, "level": LEVEL}


def test_a_value_is_put_into_its_word() -> None:
    assert RESTART.words({"unit": "nginx"}) == ("systemctl", "restart", "nginx.service")


@pytest.mark.parametrize(
    "value", ["", "nginx;reboot", "$(reboot)", "a b", "nginx\n", "-H", "a" * 201, "nginx\0", "Nginx"]
)
def test_a_value_of_another_form_is_refused_by_name(value: str) -> None:
    with pytest.raises(InvalidInput, match="command: unit: is"):
        RESTART.words({"unit": value})


@pytest.mark.parametrize("value", ["-rf", "\ud800", "a\nb", "x" * 201])
def test_an_open_pattern_does_not_let_options_lines_and_half_characters_in(value: str) -> None:
    with pytest.raises(InvalidInput):
        LEVEL.words({"level": "-5", "file": value})


def test_a_pattern_that_begins_with_a_dash_lets_one_in() -> None:
    assert LEVEL.words({"level": "-5", "file": "$(reboot) `x` ; y"}) == ("nice", "-5", "$(reboot) `x` ; y")


def test_values_that_are_missing_or_too_much_are_named() -> None:
    with pytest.raises(InvalidInput, match="unit: is missing"):
        RESTART.words({})
    with pytest.raises(InvalidInput, match="other"):
        RESTART.words({"unit": "a", "other": "b"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"argv": []}, "at least 1 item"),
        ({"argv": ["{unit}"], "parameters": {"unit": "a"}}, "argv begins with"),
        ({"argv": ["./x"]}, "argv begins with"),
        ({"argv": ["x", "{unit}"]}, "which is no parameter"),
        ({"argv": ["x"], "parameters": {"unit": "a"}}, "is in no word of argv"),
        ({"argv": ["x", "{unit}"], "parameters": {"unit": "("}}, "no regular expression"),
        ({"argv": ["x"], "undo": ["y", "{z}"]}, "undo names"),
        ({"argv": ["x"], "shell": True}, "Extra inputs"),
        ({"argv": ["x"], "timeout_s": 0}, "greater than 0"),
    ],
)
def test_a_template_that_is_not_whole_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        AllowedCommand.model_validate(given)


def test_a_typed_line_is_an_allowed_command_or_nothing() -> None:
    assert parse_command("systemctl restart 'nginx.service'", ALLOWED) == Call("restart", {"unit": "nginx"})
    assert parse_command("  systemctl  restart nginx.service ", ALLOWED) == Call("restart", {"unit": "nginx"})


@pytest.mark.parametrize(
    "line",
    [
        "",
        "systemctl restart nginx.service; reboot",
        "systemctl restart nginx.service && reboot",
        "systemctl restart nginx.service | sh",
        "systemctl restart $(reboot).service",
        "systemctl restart nginx.service\nreboot",
        "sudo systemctl restart nginx.service",
        "systemctl stop nginx.service",
        "systemctl restart nginx.service extra",
        "systemctl restart 'nginx.service",
        "systemctl restart nginx.service # it is fine",
        "x" * 5_000,
    ],
)
def test_a_line_that_is_anything_else_is_refused(line: str) -> None:
    with pytest.raises(NotAllowedCommand):
        parse_command(line, ALLOWED)


def test_a_line_that_could_be_two_commands_is_refused() -> None:
    twice = {"a": RESTART, "b": RESTART}
    with pytest.raises(NotAllowedCommand, match="could be any of a, b"):
        parse_command("systemctl restart nginx.service", twice)


def test_a_value_that_stands_twice_is_one_value() -> None:
    copy = AllowedCommand(argv=["cp", "{name}", "{name}.bak"], parameters={"name": "[a-z]+"})
    assert copy.values_of(("cp", "a", "a.bak")) == {"name": "a"}
    assert copy.values_of(("cp", "a", "b.bak")) is None
