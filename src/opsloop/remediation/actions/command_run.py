"""Run one of the commands that an admin allowed, in a restricted process; its undo is the one that its template has."""

from __future__ import annotations

import shlex
from typing import Any

from pydantic import Field

from opsloop.core.artifacts.store import sha256_hex
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import Workspace
from opsloop.remediation.actions.action import Outside, Parameters
from opsloop.remediation.commands import restricted
from opsloop.remediation.commands.allowed import AllowedCommand
from opsloop.remediation.commands.errors import CommandStopped
from opsloop.remediation.commands.settings import CommandSettings
from opsloop.remediation.errors import ActionFailed
from opsloop.remediation.models import Done, Preview, Reach

SHOWN_CHARS, SHOWN_LINES = 500, 5


class Running(Parameters):
    command: str = Field(min_length=1, max_length=100, description="name in the setting remediation_commands")
    values: dict[str, str] = Field({}, description="of its parameters")


class CommandMissing(NotFound):
    template = "no command named {name!r} is allowed; the setting remediation_commands has {known}"


class CommandRun(Outside[Running]):
    kind = "command.run"
    form = Running
    can_undo = True

    def preview(self, workspace: Workspace, parameters: Running) -> Preview:
        allowed = _allowed(workspace, parameters)
        words = allowed.words(parameters.values)
        program = restricted.program_of(words[0])
        changes = [shlex.join(words)]
        if rehearsal := allowed.dry_run_words(parameters.values):
            said = _run(allowed, rehearsal, f"{parameters.command} (dry run)")
            changes += said.splitlines()[:SHOWN_LINES]
        holds = []
        if allowed.destroys:
            holds.append(
                f"command {parameters.command} destroys what cannot be had again, so a person decides every time"
            )
        if not allowed.undo:
            holds.append(f"command {parameters.command} has no undo")
        return Preview(
            f"command {parameters.command} runs: {shlex.join(words)}"[:SHOWN_CHARS],
            f"{program} {sha256_hex(allowed.model_dump_json().encode())[:16]}",
            tuple(changes),
            Reach(resources=1),
            tuple(holds),
        )

    def act(self, workspace: Workspace, parameters: Running, *, key: str, why: str) -> Done:
        allowed = _allowed(workspace, parameters)
        words = allowed.words(parameters.values)
        said = _run(allowed, words, parameters.command)
        undo = {"command": parameters.command} if allowed.undo else None
        return Done(f"{shlex.join(words)} ended well{_shown(said)}", undo)

    def undo(self, workspace: Workspace, parameters: Running, known: dict[str, Any], *, why: str) -> str:
        allowed = _allowed(workspace, parameters)
        words = allowed.undo_words(parameters.values)
        if not words:
            raise InvalidInput(field=f"command {parameters.command}: undo", value=[], wanted="words that take it back")
        said = _run(allowed, words, f"{parameters.command} (undo)")
        return f"{shlex.join(words)} ended well{_shown(said)}"


def _allowed(workspace: Workspace, parameters: Running) -> AllowedCommand:
    known = workspace.section(CommandSettings).remediation_commands
    if parameters.command not in known:
        raise CommandMissing(name=parameters.command, known=", ".join(sorted(known)) or "none")
    found = known[parameters.command]
    found.check(parameters.values, where=f"command {parameters.command}")
    return found


def _run(allowed: AllowedCommand, words: tuple[str, ...], name: str) -> str:
    """What it printed. Raises: CommandStopped, ActionFailed, ProgramMissing."""
    ran = restricted.run(words, timeout_s=allowed.timeout_s, memory_bytes=allowed.memory_bytes)
    if ran.is_timed_out:
        raise CommandStopped(name=name, how=f"did not end within {allowed.timeout_s:g} s", said=_shown(ran.output))
    if ran.exit_code < 0:
        raise CommandStopped(name=name, how=f"was ended by signal {-ran.exit_code}", said=_shown(ran.output))
    if ran.exit_code:
        said = f"command {name} ended with exit code {ran.exit_code}; it may have done a part of it{_shown(ran.output)}"
        raise ActionFailed(action="command.run", reason=said)
    return ran.output


def _shown(output: str) -> str:
    """The end of what it printed, on one line."""
    text = " ".join("".join(each if each.isprintable() else " " for each in output[-4 * SHOWN_CHARS :]).split())
    return f": {text[-SHOWN_CHARS:]}" if text else ""


ACTION = CommandRun()
