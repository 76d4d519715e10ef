"""`from promptflow.evals.evaluate import evaluate`: a target over rows of a file, each measured by functions."""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

from opsloop.core.errors import InvalidInput

THREADS = 8
Row = Mapping[str, Any]
_REFERENCE = re.compile(r"\$\{(?P<source>data|target|run\.outputs)\.(?P<name>[^{}]+)\}")


def evaluate(
    *,
    data: str,
    evaluators: Mapping[str, Callable[..., Any]],
    evaluation_name: str | None = None,
    target: Callable[..., Any] | None = None,
    evaluator_config: Mapping[str, Mapping[str, Any]] | None = None,
    azure_ai_project: Mapping[str, Any] | None = None,
    output_path: str | None = None,
) -> dict[str, Any]:
    """Rows with what the target and the evaluators gave, and the mean of each figure; nothing goes to Azure.

    Args:
        data: file of JSON lines.
        evaluator_config: by evaluator, its arguments as `${data.COLUMN}` or `${target.NAME}`; others by their names.
        output_path: file to write the same to, or a folder.
    Raises: InvalidInput, and what the target and the evaluators do.
    """
    rows = _rows(Path(data))
    outputs = _each(lambda row: _spread(_called(target, row)), rows) if target is not None else [{} for _ in rows]
    pairs = list(zip(rows, outputs, strict=True))
    measured = {
        name: _measured(measure, _config(evaluator_config, name), pairs) for name, measure in evaluators.items()
    }
    found = [
        {
            **{f"inputs.{key}": value for key, value in row.items()},
            **{f"outputs.{key}": value for key, value in given.items()},
            **{f"outputs.{name}.{key}": value for name in measured for key, value in measured[name][place].items()},
        }
        for place, (row, given) in enumerate(pairs)
    ]
    result = {"rows": found, "metrics": _means(measured), "studio_url": None}
    if output_path is not None:
        _written(Path(output_path), evaluation_name, result)
    return result


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in file.read_text("utf-8-sig").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise InvalidInput(field="data", value=str(file), wanted=f"a file of JSON lines ({error})") from None


def _each(work: Callable[[Any], dict[str, Any]], items: Sequence[Any]) -> list[dict[str, Any]]:
    """In threads, in the caller's context, where a prompty finds its model."""
    with ThreadPoolExecutor(THREADS) as pool:
        waiting = [pool.submit(copy_context().run, work, each) for each in items]
        return [each.result() for each in waiting]


def _measured(measure: Callable[..., Any], config: Row, pairs: Sequence[tuple[Row, Row]]) -> list[dict[str, Any]]:
    return _each(lambda pair: _spread(measure(**_arguments(measure, config, *pair))), pairs)


def _called(target: Callable[..., Any], row: Row) -> Any:
    return target(**{name: row[name] for name in _parameters(target) if name in row})


def _arguments(measure: Callable[..., Any], config: Row, data: Row, outputs: Row) -> dict[str, Any]:
    known = {**data, **outputs}
    named = {name: known[name] for name in known if _takes(measure, name)}
    return {**named, **{name: _looked_up(value, data, outputs) for name, value in config.items()}}


def _looked_up(value: Any, data: Row, outputs: Row) -> Any:
    found = _REFERENCE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return value
    return (data if found["source"] == "data" else outputs).get(found["name"])


def _config(config: Mapping[str, Mapping[str, Any]] | None, name: str) -> Mapping[str, Any]:
    found = (config or {}).get(name) or (config or {}).get("default") or {}
    return dict(found.get("column_mapping", found))


def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters


def _takes(function: Callable[..., Any], name: str) -> bool:
    parameters = _parameters(function)
    return name in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())


def _spread(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {"output": value}


def _means(measured: Mapping[str, Sequence[Row]]) -> dict[str, float]:
    """The mean of what is a number on the rows where it is one."""
    figures: dict[str, list[float]] = {}
    for name, rows in measured.items():
        for row in rows:
            for key, value in row.items():
                if isinstance(value, int | float) and math.isfinite(value):
                    figures.setdefault(f"{name}.{key}", []).append(float(value))
    return {name: math.fsum(values) / len(values) for name, values in figures.items()}


def _written(path: Path, name: str | None, result: Mapping[str, Any]) -> None:
    file = path / f"{name or 'evaluation_results'}.json" if path.is_dir() else path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(result, default=str))
