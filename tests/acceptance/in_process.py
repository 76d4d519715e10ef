"""A command in this process: as `opsloop` runs it, without the second that a new Python takes."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

from opsloop.cli import main


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said; `answer` is its JSON."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


def run(*words: str) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main.run(list(words))
    return Said(code, out.getvalue(), err.getvalue())
