"""A log of any size is read in little memory: in a process of its own, whose highest memory is measured."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# TESTS_LONG=1 asks for the long form.
SIZE_MB = 2_000 if os.environ.get("TESTS_LONG") else 200
MOST_MB = 300
READ = """
import resource, sys
from opsloop.incidents.logs.lines import read_lines
from opsloop.incidents.logs.novelty import Baseline, novel
from opsloop.incidents.logs.templates import Miner

def chunks(size_mb):
    block = b"".join(
        b"2026-01-02T03:04:05.%07dZ \\x1b[32mworker %d\\x1b[0m took %d ms for /srv/job-%d/out.log\\n" % (n, n % 9, n, n)
        for n in range(12_000)
    )
    for _ in range(size_mb * 1_000_000 // len(block)):
        yield block
    for _ in range(50):
        yield b"x" * 1_000_000
    yield b"\\nerror: the disk is full\\n"

miner, last = Miner(), None
def mined(lines):
    for line in lines:
        if line.number % 20 == 0:
            miner.add(line.text, line.number)
        yield line

found = list(novel(mined(read_lines(chunks(int(sys.argv[1])))), Baseline.of(["worker 1 took 2 ms for /srv/x/y"])))
print(len(found), found[-1].line.text, len(miner.templates()))
peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))  # since exec, unlike ru_maxrss
print(int(peak.split()[1]) // 1024)
"""


@pytest.mark.timeout(1_300)
def test_a_long_log_with_a_line_of_50_mb_is_read_in_little_memory() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", READ, str(SIZE_MB)], capture_output=True, text=True, check=True, timeout=1_200
    )
    said, memory_mb = ran.stdout.splitlines()
    assert said == "2 error: the disk is full 1"
    assert int(memory_mb) <= MOST_MB
