"""Limit this process and become another program: `python -I -S _launch.py LIMITS PATH PROGRAM WORD…`.

A file of its own that loads nothing of Opsloop. Limits are set before the program is there, and in a process without
threads; code between fork and exec of a platform with threads could stand still.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path


def main() -> None:
    limits, path, program, words = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
    for name, most in limits.items():
        kind = getattr(resource, name)
        amount = most + (_tasks_of_user() if name == "RLIMIT_NPROC" else 0)
        _, hard = resource.getrlimit(kind)
        amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(kind, (amount, amount))
    os.umask(0o077)
    os.execve(program, words, {"PATH": path})  # noqa: S606 (without a shell is the point)


def _tasks_of_user() -> int:
    """The limit on processes counts those of the user everywhere, so those that are there are added."""
    found = 0
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if each.stat().st_uid == os.getuid():
                found += len(list((each / "task").iterdir()))
        except OSError:  # it ended meanwhile
            continue
    return found


if __name__ == "__main__":
    main()
