"""Level 4: one script of all commands that asks before it acts, looks at what came of it, and undoes what did not help.

It runs in any POSIX shell. Everything that comes from outside is quoted, in comments kept on their line.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from opsloop.incidents.text import kept

MOST = 300


def script(
    title: str,
    *,
    because: Sequence[str],
    changes: Sequence[str],
    commands: Sequence[tuple[str, ...]],
    undo: Sequence[tuple[str, ...]],
    incident: str | None,
) -> str:
    """Args: because, changes: sentences for people; commands, undo: each as its words."""
    parts = ["#!/bin/sh", f"# {_line(title)}", "# Why:"]
    parts += [f"#   {_line(each)}" for each in because]
    parts += ["set -eu", ""]
    parts += [f"printf '%s\\n' {shlex.quote(_line(each))}" for each in (title, *changes)]
    parts += ['printf "Go on? [y/N] "', 'read -r answer; [ "$answer" = y ] || exit 1', ""]
    parts += [shlex.join(each) for each in commands]
    if incident is not None:
        parts += ["", f"opsloop incident show {shlex.quote(incident)}"]
    if undo:
        parts += ["", 'printf "Did it help? [y/N] "', "read -r answer", 'if [ "$answer" != y ]; then']
        parts += [f"  {shlex.join(each)}" for each in undo]
        parts += ["fi"]
    return "\n".join(parts) + "\n"


def _line(text: str) -> str:
    return " ".join(kept(text, MOST).split())
