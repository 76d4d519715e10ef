"""`make`: what it lists, when it installs, and what `make up` takes for a failure."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in which everything is installed, with an `opsloop` that a test writes."""
    for name in ("Makefile", "pyproject.toml", "requirements/up.txt", "requirements/dev.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    for name in ("bin/python", ".up-installed", ".dev-installed"):
        (tmp_path / ".venv" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / ".venv" / name).touch()
    return tmp_path


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_make_alone_lists_every_target_with_what_it_does(checkout: Path) -> None:
    result = make(checkout)
    [targets] = re.findall(r"^\.PHONY: help (.+)$", (checkout / "Makefile").read_text(), re.MULTILINE)
    assert re.findall(r"^make (\w+) +[A-Z].+$", result.stdout, re.MULTILINE) == targets.split()


@pytest.mark.parametrize(("code", "is_fine"), [(0, True), (1, False), (5, False)])
def test_up_is_what_the_platform_says(checkout: Path, code: int, is_fine: bool) -> None:
    program(checkout / ".venv" / "bin" / "opsloop", f'echo "called: $*"; exit {code}')

    result = make(checkout, "up")

    assert result.stdout == "called: up --if-needed --project examples/support-chatbot\n"
    assert (result.returncode == 0) is is_fine


def test_stopping_make_stops_the_platform(checkout: Path) -> None:
    program(
        checkout / ".venv" / "bin" / "opsloop", "trap 'echo drained; exit 0' TERM; echo up; while :; do sleep 0.1; done"
    )
    process = subprocess.Popen(
        ["make", "--no-print-directory", "up"],
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.terminate()
    assert process.stdout.readline() == "drained\n"
    process.stdout.close()
    process.wait(30)


def test_it_installs_again_only_when_what_is_wanted_changed(checkout: Path) -> None:
    program(checkout / ".venv" / "bin" / "opsloop", "exit 0")
    program(checkout / ".venv" / "bin" / "python", 'echo "installing: $*"')
    assert "installing" not in make(checkout, "up").stdout

    stamp = (checkout / ".venv" / ".up-installed").stat().st_mtime_ns
    os.utime(checkout / "requirements" / "up.txt", ns=(stamp + 10**9, stamp + 10**9))

    result = make(checkout, "up")
    assert "installing: -m pip install" in result.stdout
    assert "--constraint requirements/up.txt --editable .[all]" in result.stdout


def test_without_a_python_that_can_run_it_the_wanted_one_is_named(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    result = make(checkout, "up", "PYTHON=")
    assert result.returncode != 0
    assert "opsloop needs Python 3.11 or newer" in result.stderr
