"""What a model says of every row of a file: the same rows in the same order, with columns beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from opsloop.core.errors import InvalidInput, NotFound
from opsloop.datasets.errors import FileBroken
from opsloop.models.files.checking import checked
from opsloop.models.files.formats import format_of
from opsloop.models.files.rows import Given, Row
from opsloop.models.runtime import LoadedModel, Predictions
from opsloop.models.signature import Signature, Task

BATCH_ROWS = 4_096
PREDICTION = "prediction"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is written of each row.

    Args:
        name: of the column with what the model says; the others' names begin with it.
        alpha: chance that an interval or a set does not hold the truth; None for none of them.
    """

    name: str = PREDICTION
    probabilities: bool = False
    alpha: float | None = None


@dataclass(frozen=True, slots=True)
class FilePredicted:
    """Args:
    rows: of the file.
    broken: of these, rows that were not predicted.
    first: what is wrong with the first of them.
    """

    rows: int
    broken: int
    first: str | None


def predict_file(
    model: LoadedModel,
    path: Path,
    out: Path,
    wanted: Wanted | None = None,
    progress: Callable[[int], None] | None = None,
) -> FilePredicted:
    """Write `out`, whole or not at all; memory does not grow with the rows.

    A row that the model does not take has no prediction, and the sentence that says why in `prediction_error`.

    Args:
        progress: told how many rows are done.
    Raises: NotFound, InvalidInput, FileBroken, NoIntervals, ExtraNeeded.
    """
    wanted = wanted or Wanted()
    if not path.is_file():
        raise NotFound(f"{path} is not there; wanted a file of rows")
    if out.resolve() == path.resolve():
        raise InvalidInput(field="out", value=str(out), wanted="another file than the one that is read")
    if not out.parent.is_dir():
        raise InvalidInput(field="out", value=str(out), wanted="a file in a folder that is there")
    source, target = format_of(path, "file"), format_of(out, "out")
    part = out.with_name(f".{out.name}.part")
    added = added_names(model.signature, wanted)
    try:
        with source.opened(path) as given:
            names = _names(given, path, model.signature, added)
            with target.written(part, names) as sink:
                found = _pass(model, given, wanted, added, sink.add, progress)
        if not found.rows:
            raise FileBroken(path.name, "the file", "at least one row")
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return found


def added_names(signature: Signature, wanted: Wanted) -> list[str]:
    """The columns that come beside those of the file."""
    output, name = signature.output, wanted.name
    names = [name]
    if wanted.probabilities:
        names += [f"{name}_probability_{each}" for each in output.classes]
    if wanted.alpha is not None:
        names += [f"{name}_low", f"{name}_high"] if output.task is Task.REGRESSION else [f"{name}_set"]
    return [*names, f"{name}_error"]


def _names(given: Given, path: Path, signature: Signature, added: Sequence[str]) -> list[str] | None:
    """The columns of what is written. Raises: FileBroken, InvalidInput."""
    if given.columns is None:
        return None
    missing = [repr(field.name) for field in signature.inputs if field.name not in given.columns]
    if missing:
        wanted = f"column{'s' if len(missing) > 1 else ''} {', '.join(missing[:12])}, which the model takes"
        raise FileBroken(path.name, "the file", f"{wanted}; it has {', '.join(given.columns[:12])}")
    _check_new(added, given.columns)
    return [*given.columns, *added]


def _check_new(added: Sequence[str], columns: Collection[str]) -> None:
    taken = [name for name in added if name in columns]
    if taken:
        wanted = f"another name: the file has a column {taken[0]!r} already"
        raise InvalidInput(field="name", value=added[0], wanted=wanted)


def _pass(
    model: LoadedModel,
    given: Given,
    wanted: Wanted,
    added: Sequence[str],
    write: Callable[[Sequence[Mapping[str, Any]]], None],
    progress: Callable[[int], None] | None,
) -> FilePredicted:
    rows, broken, first = 0, 0, None
    while batch := list(islice(given.rows, BATCH_ROWS)):
        found = checked(batch, model.signature, is_text=given.is_text)
        said = _said(model, found.X, wanted)
        write([_written(row, fault, said, added) for row, fault in zip(batch, found.faults, strict=True)])
        faults = [fault for fault in found.faults if fault is not None]
        rows, broken, first = rows + len(batch), broken + len(faults), first or next(iter(faults), None)
        if progress is not None:
            progress(rows)
    return FilePredicted(rows, broken, first)


def _written(row: Row, fault: str | None, said: Iterator[Sequence[Any]], added: Sequence[str]) -> dict[str, Any]:
    _check_new(added, row.cells)
    values = [None] * (len(added) - 1) if fault is not None else next(said)
    return {**row.cells, **dict(zip(added, [*values, fault], strict=True))}


def _said(model: LoadedModel, X: Any, wanted: Wanted) -> Iterator[Sequence[Any]]:
    """What is written of each row of X, without the fault."""
    if not len(X):
        return iter(())
    found = model.predict(X)
    columns = [found.values]
    if wanted.probabilities:
        columns += _probabilities(found)
    if wanted.alpha is not None:
        columns += _intervals(found, model.signature, wanted.alpha)
    return zip(*columns, strict=True)


def _probabilities(found: Predictions) -> list[list[Any]]:
    if found.scores is None:
        raise InvalidInput(field="probabilities", value=True, wanted="a model that gives probabilities of classes")
    return [column.tolist() for column in found.scores.T]


def _intervals(found: Predictions, signature: Signature, alpha: float) -> list[list[Any]]:
    if signature.output.task is Task.REGRESSION:
        return [each.tolist() for each in found.interval(alpha)]
    return [found.sets(alpha)]
