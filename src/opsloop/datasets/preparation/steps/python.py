"""`python: prepare.py:clean`: the rows become what a function of the project makes of them.

The function gets an iterator of rows (dicts of plain JSON values) and gives rows back, one after the other:

    def clean(rows):
        for row in rows:
            yield {**row, "question": row["question"].strip()}

What runs is the file as it was when the preparation was applied; it stands in the record of every run.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from opsloop.core.errors import OpsloopError
from opsloop.datasets.columns import ColumnsFound
from opsloop.datasets.engine import literal
from opsloop.datasets.json_rows import JsonRows
from opsloop.datasets.models import ColumnType
from opsloop.datasets.preparation.errors import PreparationInvalid, StepFailed
from opsloop.datasets.preparation.rows import Rows
from opsloop.datasets.preparation.steps.registry import Apply, step
from opsloop.datasets.relation import staged_relation
from opsloop.datasets.staging import Staging, staging, written

CODE_LIMIT = 200_000
_BATCH = 1_000
_ENTRY = re.compile(r"(?P<file>[^:]+\.py):(?P<function>[A-Za-z_]\w*)")
_FORM = "a file and a function in it, such as prepare.py:clean"


def entry_of(at: str, value: Any) -> tuple[str, str]:
    """The file and the function. Raises: PreparationInvalid."""
    found = _ENTRY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise PreparationInvalid(field=at, value=value, wanted=_FORM)
    return found["file"], found["function"]


@step("python")
def python(at: str, wanted: Any) -> Apply:
    code = None
    if isinstance(wanted, dict) and set(wanted) == {"entry", "code"}:
        wanted, code = wanted["entry"], wanted["code"]
        if not isinstance(code, str) or len(code) > CODE_LIMIT:
            raise PreparationInvalid(field=f"{at}.code", value=code, wanted=f"up to {CODE_LIMIT} characters of Python")
    file, function = entry_of(at, wanted)

    def apply(rows: Rows) -> None:
        if code is None:
            raise PreparationInvalid(f"{at}: wanted the code of {file} too, as `opsloop apply` sends it", field=at)
        _apply(rows, at, file, function, code)

    return apply


def _apply(rows: Rows, at: str, file: str, function: str, code: str) -> None:
    called = _function(at, file, function, code)
    found = ColumnsFound(f"{file}:{function}", lambda number: f"row {number}")
    with (
        staging(f"{file}:{function}") as before,
        staging(f"{file}:{function}") as place,
        JsonRows(place.folder / "rows.jsonl", found) as lines,
    ):
        made = enumerate(_run(at, called, _plain(before, rows)), start=1)
        while batch := list(islice(made, _BATCH)):
            lines.add(batch)
        if not lines.rows:
            raise StepFailed(step=at, reason=f"{function} gave no rows back")
        target = rows.folder / "python.parquet"
        shutil.move(written(place, lines.staged().query), target)
    rows.become_file(target)


def _function(at: str, file: str, function: str, code: str) -> Any:
    namespace: dict[str, Any] = {"__name__": file.removesuffix(".py").replace("/", "."), "__file__": file}
    try:
        exec(compile(code, file, "exec"), namespace)  # noqa: S102 (a developer's own code, as a flow's is)
    except Exception as error:  # whatever their module raises
        raise StepFailed(step=at, reason=f"{file} cannot be loaded: {_said(error, file)}") from error
    found = namespace.get(function)
    if not callable(found):
        raise PreparationInvalid(field=at, value=f"{file}:{function}", wanted=f"a function that {file} defines")
    return found


def _plain(place: Staging, rows: Rows) -> Iterator[dict[str, Any]]:
    """Rows as a dataset has them: plain JSON values, lists and objects instead of their text."""
    source = rows.folder / "to_python.parquet"
    rows.save(source)
    staged = staged_relation(place, f"read_parquet({literal(str(source))})")
    names = [column.name for column in staged.columns]
    nested = [column.name for column in staged.columns if column.type is ColumnType.JSON]
    found = place.duck.cursor().execute(staged.query)
    while batch := found.fetchmany(_BATCH):
        for values in batch:
            row = dict(zip(names, values, strict=False))
            for name in nested:
                if row[name] is not None:
                    row[name] = msgspec.json.decode(row[name])
            yield row


def _run(at: str, function: Any, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    count = 0
    file = getattr(getattr(function, "__code__", None), "co_filename", "")
    try:
        found = function(rows)
        for row in found:
            count += 1
            if not isinstance(row, dict) or not all(isinstance(name, str) for name in row):
                raise StepFailed(
                    step=at, reason=f"row {count} is {type(row).__name__}; wanted a dict with text as keys"
                )
            yield row
    except OpsloopError:
        raise
    except Exception as error:  # whatever their function raises
        raise StepFailed(step=at, reason=f"{_said(error, file)} (after {count} rows)") from error


def _said(error: Exception, file: str) -> str:
    trace, line = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{type(error).__name__}: {error}" + (f" at line {line} of {file}" if line else "")
