"""Level 3: the commands that a person would type, ready to paste."""

from __future__ import annotations

import shlex
from collections.abc import Iterable


def lines(commands: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Each command on a line, quoted for a POSIX shell: no value in it is ever read as more than one word."""
    return tuple(shlex.join(each) for each in commands)
