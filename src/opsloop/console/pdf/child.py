"""The process that a PDF is made in: HTML on stdin, the PDF on stdout.

What a flow wrote is data here: it reaches the typesetter as values, never as its language, which could read files.
Ends with `MISSING` when the extra is not installed, and with `UNFIT` when there is nothing to set or too much of it.
"""

from __future__ import annotations

import json
import resource
import sys
from importlib.resources import files

MEMORY_BYTES = 2 << 30
CPU_S = 20
MISSING, UNFIT = 3, 4


def main() -> int:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        _, hard = resource.getrlimit(what)
        wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (wanted, wanted))
    try:
        import typst  # comes with an extra

        from opsloop.console.pdf.blocks import Unfit, blocks_of
    except ModuleNotFoundError:
        return MISSING
    try:
        title, blocks = blocks_of(sys.stdin.buffer.read().decode("utf-8", "replace"))
    except (Unfit, MemoryError):
        return UNFIT
    page = (files("opsloop.console.pdf") / "page.typ").read_bytes()
    given = json.dumps({"title": title, "blocks": blocks})
    made = typst.compile(page, sys_inputs={"given": given}, ignore_system_fonts=True)
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
