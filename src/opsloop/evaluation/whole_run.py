"""An evaluation that is Python of its own: functions `eval_…` that are called once, over all rows.

Microsoft's genaiops template calls them where an evaluator's folder holds no flow: with a name for the run, a file of
rows, the mappings, and a folder for what they write. This file is put beside the code of such a use case and makes a
flex flow of it, so that it imports nothing but the standard library.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


class WholeRun:
    """Args:
    modules: dotted names of the modules that hold the functions.
    beside: folders that the functions import from besides.
    name: of the run.
    """

    def __init__(self, modules: list, beside: list, name: str) -> None:  # type: ignore[type-arg]  # as a flow types it
        self.modules = modules
        self.beside = beside
        self.name = name

    def __call__(self, row: dict, mappings: dict) -> dict:  # type: ignore[type-arg]
        """Keeps the row; in a list, which is no score."""
        return {"kept": [row, mappings]}

    def __aggregate__(self, line_results: list) -> dict:  # type: ignore[type-arg]
        """The metrics that the functions gave."""
        rows = [each["kept"][0] for each in line_results]
        mappings = line_results[0]["kept"][1] if line_results else {}
        metrics: dict[str, Any] = {}
        with tempfile.TemporaryDirectory() as place, _importable([HERE, *(HERE / each for each in self.beside)]):
            file = Path(place) / "rows.jsonl"
            file.write_text("".join(json.dumps(_without_gaps(row)) + "\n" for row in rows))
            for module in self.modules:
                for function in _functions(module):
                    metrics.update(_metrics(function(self.name, str(file), mappings, place)))
        return metrics


def _functions(module: str) -> Iterator[Any]:
    found = importlib.import_module(module)
    for name, value in vars(found).items():
        if inspect.isfunction(value) and name.lower().startswith("eval_"):
            yield value


def _metrics(result: Any) -> dict[str, float]:
    """What a function gave, as far as it is numbers: its `metrics`, else all of it."""
    if not isinstance(result, Mapping):
        return {}
    values = result["metrics"] if isinstance(result.get("metrics"), Mapping) else result
    return {str(key): value for key, value in values.items() if isinstance(value, int | float)}


def _without_gaps(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it stood in its file, where a column that a row does not have is not there."""
    return {key: value for key, value in row.items() if value is not None}


@contextmanager
def _importable(folders: list[Path]) -> Iterator[None]:
    """Find the use case's modules while the functions run, and forget them afterwards: another version may come."""
    known, path = set(sys.modules), list(sys.path)
    sys.path[:0] = [str(each) for each in folders]
    try:
        yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if file.startswith(str(HERE)):
                del sys.modules[name]
