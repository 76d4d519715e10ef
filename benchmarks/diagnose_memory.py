"""Memory and speed of `opsloop diagnose -` on a log larger than memory: `python benchmarks/diagnose_memory.py [MB]`.

MB of log, 2,000 by default, go through a pipe into a process of its own: what a build prints, telling lines of ever
new forms, a line of 50 MB, and at the end the one that tells. Printed are the highest memory of that process since it
started (VmHWM) and lines a second. Goal: at most 300 MB; the exit code is 1 when it is missed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

SIZE_MB, GOAL_MB, LONG_LINE_MB = 2_000, 300, 50
LAST = b"fatal: the pump is dry"
READ = """
import atexit, sys
from opsloop.cli.main import main

def peak():
    line = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))
    sys.stderr.write('\\npeak_kb ' + line.split()[1])

atexit.register(peak)
sys.argv = ['opsloop', 'diagnose', '-', '--json']
main()
"""


def blocks(size_mb: int) -> Iterator[bytes]:
    """The log in pieces of about a megabyte; ends with the line that tells."""
    usual = b"".join(
        b"2026-01-02T03:04:05.%07dZ \x1b[32m[ %d%% ]\x1b[0m Building CXX object src/part-%d.cpp.o in %d ms\n"
        % (n, n % 100, n, n)
        for n in range(10_000)
    )
    sent = at = 0
    while sent < size_mb * 1_000_000:
        name = "".join(chr(97 + int(digit)) for digit in str(at))
        telling = "".join(f"warning: part {name}{n:x} may have failed in the error path\n" for n in range(20)).encode()
        yield usual
        yield telling
        sent += len(usual) + len(telling)
        at += 1
    for _ in range(LONG_LINE_MB):
        yield b"x" * 1_000_000
    yield b"\n" + LAST + b"\n"


def main() -> int:
    size_mb = int(sys.argv[1]) if len(sys.argv) > 1 else SIZE_MB
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPSLOOP_")}
    began, lines = time.perf_counter(), 0
    with subprocess.Popen(
        [sys.executable, "-c", READ], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=kept
    ) as reading:
        assert reading.stdin is not None
        for block in blocks(size_mb):
            lines += block.count(b"\n")
            reading.stdin.write(block)
        said, also = reading.communicate()
    took = time.perf_counter() - began
    if reading.returncode != 0:
        print(also.decode("utf-8", "replace")[-1_000:], file=sys.stderr)
        return 1
    first = json.loads(said)["evidence"][0]
    is_right = first == {"line": lines, "text": LAST.decode()}
    peak_mb = int(also.rsplit(b"peak_kb ", 1)[1]) / 1024
    met = is_right and peak_mb <= GOAL_MB
    print(
        f"{'met' if met else 'MISSED'}: {size_mb:,} MB and {lines:,} lines through a pipe, peak {peak_mb:.0f} MB "
        f"(goal {GOAL_MB}), {lines / took:,.0f} lines/s, first evidence {'the decisive line' if is_right else first}"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
