"""Promises that hold for every command, whoever writes it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from opsloop.cli import token
from opsloop.cli.lazy import LazyGroup
from opsloop.cli.main import opsloop
from opsloop.core.caller import Role

# Runs until it is stopped, so there is no one JSON document that it could end with.
WITHOUT_JSON = {"opsloop up", "opsloop serve", "opsloop drill"}
Found = tuple[str, click.Command]


def walk(command: click.Command, name: str) -> Iterator[Found]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for part in command.list_commands(context):
        found = command.get_command(context, part)
        assert found is not None
        yield from walk(found, f"{name} {part}")


COMMANDS = list(walk(opsloop, "opsloop"))


def named(found: Found) -> str:
    return found[0]


@pytest.mark.parametrize("found", COMMANDS, ids=named)
def test_every_command_has_help_with_an_example_of_itself(found: Found) -> None:
    name, command = found
    answer = CliRunner().invoke(opsloop, [*name.split()[1:], "--help"])

    assert answer.exit_code == 0
    assert command.help
    assert "Example" in answer.output
    assert "\b" not in answer.output
    assert f"\n    {name}" in answer.output


@pytest.mark.parametrize("found", COMMANDS, ids=named)
def test_every_option_and_every_command_says_what_it_is_for(found: Found) -> None:
    _, command = found

    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []


@pytest.mark.parametrize("found", COMMANDS, ids=named)
def test_every_command_that_ends_answers_in_json(found: Found) -> None:
    name, command = found

    assert (name in WITHOUT_JSON) != any("--json" in param.opts for param in command.params)


def test_the_list_says_of_each_command_what_its_own_help_says() -> None:
    assert isinstance(opsloop, LazyGroup)
    context = click.Context(opsloop)
    for entries in opsloop.sections.values():
        for name, entry in entries.items():
            command = opsloop.get_command(context, name)
            assert command is not None
            own = (command.help or "").partition("\n")[0]
            assert own.startswith(entry.help.rstrip(".")), name


def test_the_help_of_the_whole_has_no_marks_left_in_it() -> None:
    assert "\b" not in CliRunner().invoke(opsloop, ["--help"]).output


def test_roles_are_those_of_the_platform() -> None:
    assert list(token.ROLES) == [role.value for role in Role]


def test_help_loads_nothing_heavy() -> None:
    heavy = "pydantic|httpx|sqlalchemy|fastapi|numpy|dbos|ruamel|msgspec|structlog|asyncio|opsloop.core"
    code = (
        "import sys; from opsloop.cli.main import run\n"
        "assert run(['--help']) == 0\n"
        f"found = sorted(set({heavy.split('|')!r}) & set(sys.modules))\n"
        "assert not found, found"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
