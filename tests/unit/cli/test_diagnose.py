"""`opsloop diagnose` on files, gzip and stdin."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from opsloop.cli.main import opsloop

LOG = b"##[group]Run npm ci\nnpm ERR! code ERESOLVE\n##[error]Process completed with exit code 1.\n"


def test_words_name_cause_fix_and_patch(tmp_path: Path) -> None:
    (tmp_path / "job.log").write_bytes(LOG)
    done = CliRunner().invoke(opsloop, ["diagnose", str(tmp_path / "job.log")])
    assert done.exit_code == 0
    assert done.stdout.startswith("ROOT_CAUSE: npm finds no versions that satisfy all peers.\n")
    assert "\nFIX:\n  1. " in done.stdout
    assert "\nYAML_PATCH: none\n" in done.stdout
    assert "  2: npm ERR! code ERESOLVE" in done.stdout


def test_gzip_and_stdin_are_read_as_the_file_is(tmp_path: Path) -> None:
    packed = tmp_path / "job.log.gz"
    packed.write_bytes(gzip.compress(LOG))
    from_file = CliRunner().invoke(opsloop, ["diagnose", str(packed), "--json"])
    from_stdin = CliRunner().invoke(opsloop, ["diagnose", "-", "--json"], input=LOG)
    assert json.loads(from_file.stdout) == json.loads(from_stdin.stdout)
    assert json.loads(from_file.stdout)["exit_code"] == 1


def test_a_long_log_with_one_huge_line_is_read_in_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "huge.log"
    with file.open("wb") as log:
        log.write(b"x" * 50_000_000 + b"\n")
        for _ in range(10):
            log.write(b"compiling part of the shop\n" * 40_000)
        log.write(b"fatal: the pump is dry\n")
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (300_000_000, 300_000_000));"
        "sys.argv = ['opsloop', 'diagnose', sys.argv[1], '--json']; from opsloop.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    assert json.loads(done.stdout)["evidence"][0] == {"line": 400_002, "text": "fatal: the pump is dry"}
