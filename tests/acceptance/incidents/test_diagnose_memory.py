"""`opsloop diagnose -` reads a log of any size in at most 300 MB, in a process whose highest memory is measured."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.acceptance.up import ROOT

# TESTS_LONG=1 asks for the long form.
SIZE_MB = 2_000 if os.environ.get("TESTS_LONG") else 200


@pytest.mark.timeout(1_300)
def test_a_log_larger_than_memory_is_diagnosed_from_a_pipe() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "diagnose_memory.py", str(SIZE_MB)],
        capture_output=True,
        text=True,
        check=False,
        timeout=1_200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"met: {SIZE_MB:,} MB")
