"""The import contracts hold on the source tree, and each of them catches the breach it is there for."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from contracts import holder_of

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "opsloop"

RANKS = "Slices depend downwards only, peers not at all"
PRIVATE = "A module named _x stays inside its package"
FAST_START = "CLI and client start fast: no server, database or ML behind them"
CYCLES = "No cycles between siblings, at any depth"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-logo", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small package with every rank and the project's own contracts, which it keeps."""
    for name in ("pyproject.toml", "contracts.py"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    for slice_name in _slices():
        write(tmp_path, f"opsloop/{slice_name}/__init__.py", "")
    write(tmp_path, "opsloop/__init__.py", "")
    write(tmp_path, "opsloop/core/db/__init__.py", "")
    write(tmp_path, "opsloop/core/db/base.py", "import sqlalchemy")
    write(tmp_path, "opsloop/datasets/models.py", "")
    write(tmp_path, "opsloop/datasets/_tables.py", "from opsloop.core.db import base")
    write(tmp_path, "opsloop/datasets/service.py", "from opsloop.datasets import _tables, models")
    write(tmp_path, "opsloop/client/http.py", "from opsloop.datasets import models")
    write(tmp_path, "opsloop/cli/main.py", "from opsloop.client import http")
    for importer, imported in _exceptions():
        write(tmp_path, f"{imported.replace('.', '/')}.py", "")
        write(tmp_path, f"{importer.replace('.', '/')}.py", f"import {imported}")
    return tmp_path


def _contracts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    return found


def _slices() -> list[str]:
    [ranks] = [contract for contract in _contracts() if contract["type"] == "layers"]
    return [name.strip(" ()") for layer in ranks["layers"] for name in layer.split("|")]


def _exceptions() -> list[tuple[str, str]]:
    """Imports that a contract lets pass: importer and imported."""
    lines = [line for contract in _contracts() for line in contract.get("ignore_imports", [])]
    return [(importer, imported) for importer, _, imported in (line.split() for line in lines)]


def write(folder: Path, path: str, text: str) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n")


def test_the_source_tree_keeps_every_contract() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_house_in_order_keeps_every_contract(house: Path) -> None:
    result = lint_imports(house)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("path", "text", "contract", "named"),
    [
        ("opsloop/core/clock.py", "from opsloop.releases import service", RANKS, "opsloop.core.clock"),
        ("opsloop/core/clock.py", "import opsloop.datasets.models", RANKS, "opsloop.core.clock"),
        ("opsloop/feedback/service.py", "from opsloop.monitoring import records", RANKS, "opsloop.feedback.service"),
        ("opsloop/llm/port.py", "def late():\n    from opsloop.rag import text", RANKS, "opsloop.llm.port"),
        ("opsloop/server/app.py", "from opsloop.datasets import _tables", PRIVATE, "opsloop.server.app"),
        ("opsloop/rag/x.py", "from opsloop.datasets._tables import Row", PRIVATE, "private to opsloop.datasets"),
        ("opsloop/datasets/models.py", "import sqlalchemy", FAST_START, "opsloop.datasets.models"),
        ("opsloop/client/http.py", "import fastapi", FAST_START, "opsloop.client.http"),
        ("opsloop/cli/rag.py", "from opsloop.server import app", FAST_START, "opsloop.cli.rag"),
        ("opsloop/datasets/models.py", "from opsloop.datasets import service", CYCLES, "models"),
    ],
)
def test_a_breach_is_found_and_named(house: Path, path: str, text: str, contract: str, named: str) -> None:
    for missing in ("releases/service.py", "monitoring/records.py", "rag/text.py", "server/app.py"):
        write(house, f"opsloop/{missing}", "")
    write(house, path, text)

    result = lint_imports(house)

    assert result.returncode == 1, result.stdout + result.stderr
    assert any(line.startswith(f"{contract} BROKEN") for line in result.stdout.splitlines())
    assert named in " ".join(result.stdout.split())


def test_a_new_slice_must_state_its_rank(house: Path) -> None:
    write(house, "opsloop/billing/__init__.py", "")

    result = lint_imports(house)

    assert result.returncode == 1
    assert "billing" in result.stdout


@pytest.mark.parametrize(
    ("module", "holder"),
    [
        ("opsloop.datasets._tables", "opsloop.datasets"),
        ("opsloop.rag._index.vectors", "opsloop.rag"),
        ("opsloop._version", "opsloop"),
        ("opsloop.datasets.service", None),
        ("opsloop.cli.__main__", None),
        ("_pytest.fixtures", None),
    ],
)
def test_a_module_is_private_to_the_package_that_holds_it(module: str, holder: str | None) -> None:
    assert holder_of(module) == holder


OTHER_CLIENTS = {"aiohttp", "requests", "urllib3"}
NEEDED_BY_OTHERS = {("datasets/connectors/iceberg.py", "requests"), ("remediation/kubernetes/cluster.py", "urllib3")}
"""Errors of PyIceberg and of the Kubernetes client, which bring them: extras."""


def test_requests_go_out_over_one_client() -> None:
    """Each further one is megabytes to install, and rules of its own for redirects, proxies and certificates."""
    found = {
        (str(file.relative_to(SOURCE)), name)
        for file in SOURCE.rglob("*.py")
        for name in OTHER_CLIENTS & _imported(file.read_text())
    }
    assert found == NEEDED_BY_OTHERS
    assert _imported("import a.b\ndef late():\n    from c.d import e") == {"a", "c"}


def _imported(text: str) -> set[str]:
    """First names of the modules that a text imports, at any place."""
    nodes = list(ast.walk(ast.parse(text)))
    whole = [each.name for node in nodes if isinstance(node, ast.Import) for each in node.names]
    parts = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module]
    return {name.partition(".")[0] for name in [*whole, *parts]}


def test_packages_export_nothing() -> None:
    """An `__init__.py` is a docstring; the package root alone has names for users' scripts."""
    exporting = [
        str(file.relative_to(SOURCE))
        for file in SOURCE.glob("*/**/__init__.py")
        if "shim" not in file.parts and _says_more_than_a_docstring(file)
    ]
    assert exporting == []


def _says_more_than_a_docstring(file: Path) -> bool:
    return any(not _is_text(statement) for statement in ast.parse(file.read_text()).body)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
