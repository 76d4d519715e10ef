"""A comment server, and the sample project in a repository with a remote."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name

import pytest

from tests.deploy.repository import Repository
from tests.deploy.stand_in import Kept, served

# By name: benchmarks are programs, and no package to type checkers.
ACTIONLINT: str = resolve_name("benchmarks._peers:ACTIONLINT")
SAMPLE = Path(__file__).parents[2] / "examples" / "support-chatbot"


@pytest.fixture
def comments() -> Iterator[Kept]:
    with served() as kept:
        yield kept


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """The sample project on `main` of a bare remote, and a clone to work in."""
    made = Repository(tmp_path / "remote.git", tmp_path / "work")
    shutil.copytree(SAMPLE, made.work, ignore=shutil.ignore_patterns(".opsloop", "__pycache__"), dirs_exist_ok=True)
    (made.work / ".gitignore").write_text(".opsloop/\n__pycache__/\nreports/\n")
    made.push("main", "The sample project")
    return made


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


@pytest.fixture(scope="session")
def actionlint() -> str:
    """The program: named, on the path, or where `.ci/run` keeps it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "opsloop-bench"
    kept = cache / ACTIONLINT.rpartition("/")[2].replace("@", "-") / "actionlint"
    found = os.environ.get("ACTIONLINT") or shutil.which("actionlint") or (str(kept) if kept.is_file() else None)
    if found is None or (found == str(kept) and shutil.which("node") is None):
        pytest.skip("no actionlint on this machine: `bash .ci/run` keeps one, or install it, or name it in ACTIONLINT")
    return found
