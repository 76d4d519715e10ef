"""A typed line, such as one that a model wrote, read against the allowed commands: it is one of them, or nothing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from opsloop.core.errors import shown
from opsloop.remediation.commands.allowed import AllowedCommand, Call
from opsloop.remediation.commands.errors import NotAllowedCommand

LONGEST_LINE = 4_000


def parse_command(text: str, allowed: Mapping[str, AllowedCommand]) -> Call:
    """The allowed command that a line is, word by word; what a shell would make of it plays no part.

    Raises: NotAllowedCommand.
    """
    line = text.strip()
    if len(line) > LONGEST_LINE:
        raise NotAllowedCommand(text=shown(line), why=f"it is longer than {LONGEST_LINE:,} characters")
    if not line or not line.isprintable():
        raise NotAllowedCommand(text=shown(line), why="it is empty or more than one line")
    try:
        words = shlex.split(line, comments=False, posix=True)
    except ValueError as error:
        raise NotAllowedCommand(text=shown(line), why=f"its quotes do not pair ({error})") from None
    found = [Call(name, values) for name, each in allowed.items() if (values := each.values_of(words)) is not None]
    if len(found) > 1:
        names = ", ".join(sorted(each.name for each in found))
        raise NotAllowedCommand(text=shown(line), why=f"it could be any of {names}")
    if not found:
        raise NotAllowedCommand(text=shown(line), why="no template has its words")
    return found[0]
