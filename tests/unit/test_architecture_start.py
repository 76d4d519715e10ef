"""What must not be loaded where a start has to be fast, seen in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "opsloop"
SLOW_TO_LOAD = {"dbos", "duckdb", "fastapi", "httpx", "numpy", "openai", "pydantic", "sqlalchemy", "uvicorn"}


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False)


def loaded_by(code: str, *arguments: str) -> set[str]:
    """Top-level packages that a fresh interpreter imports for `code`."""
    result = python("-X", "importtime", "-c", code, *arguments)
    assert result.returncode == 0, result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def test_the_measurement_sees_what_is_imported() -> None:
    assert "pydantic" in loaded_by("import pydantic")


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("release", "--help")])
def test_help_loads_nothing_slow(arguments: tuple[str, ...]) -> None:
    loaded = loaded_by("from opsloop.cli.main import main; main()", *arguments)
    assert "click" in loaded
    assert loaded & SLOW_TO_LOAD == set()


def test_the_package_root_loads_nothing_slow() -> None:
    assert loaded_by("import opsloop") & SLOW_TO_LOAD == set()


# Elsewhere a file of this name is no slice's nouns: a route of the OpenAI protocol, calls of the client, pages.
NOUNS = sorted(
    ".".join(("opsloop", *file.relative_to(SOURCE).with_suffix("").parts))
    for file in SOURCE.glob("**/models.py")
    if file.parent.name not in ("gateway", "client", "pages")
)


@pytest.mark.parametrize("module", NOUNS)
def test_nouns_load_without_a_database_or_a_web_framework(module: str) -> None:
    assert loaded_by(f"import {module}") & (SLOW_TO_LOAD - {"pydantic"}) == set()


WITHOUT_EXTRAS = """\
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"numpy", "onnxruntime", "sklearn", "duckdb"}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Missing())
import opsloop.server.platform
"""


def test_the_platform_loads_without_any_extra() -> None:
    done = python("-c", WITHOUT_EXTRAS)
    assert done.returncode == 0, done.stderr


# What a platform without models, flows that need them, or jobs under way has no use for: some 10 MB each and more.
HEAVY = {
    "dbos",
    "duckdb",
    "grpc",
    "mlflow",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "pyarrow",
    "scipy",
    "sklearn",
    "skops",
}


def test_the_platform_loads_nothing_heavy_before_it_is_needed() -> None:
    assert loaded_by("import opsloop.server.platform") & HEAVY == set()
