"""Models of other tools, brought to the registry: the file and some of the rows it is for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opsloop.core.errors import ExtraNeeded, InvalidInput, NotFound

if TYPE_CHECKING:
    from opsloop.models.candidate import Candidate
    from opsloop.models.signature import Signature
    from opsloop.training.table import Table

ONNX, SKOPS = ".onnx", ".skops"
_PICKLES = (".pkl", ".pickle", ".joblib")


@dataclass(frozen=True, slots=True)
class Rows:
    """A file of rows: the columns a model takes and, in `target`, what is right for them.

    Args:
        task: `classification` or `regression`; None: as the target's values suggest.
        features: the columns in the order of the model's; empty: all others, as they stand in the file.
    """

    file: Path
    target: str
    task: str | None = None
    features: tuple[str, ...] = ()


def candidate_of(path: Path, rows: Rows | None) -> Candidate:
    """What the registry takes of a bundle's folder, a file for ONNX, or one of skops.

    Raises: NotFound, InvalidInput, ModelFileBroken, UntrustedTypes, ParityMissed, DataUnfit, ExtraNeeded.
    """
    if not path.exists():
        raise NotFound(f"{path} is not there; wanted a folder with a bundle, a .onnx or a .skops file")
    if path.is_dir():
        from opsloop.models import bundle, transfer

        return transfer.candidate_in(bundle.of_folder(path))
    if path.suffix in _PICKLES:
        wanted = "a .skops or .onnx file: a pickle runs code when it is read, and is never loaded"
        raise InvalidInput(field="model file", value=path.name, wanted=wanted)
    if path.suffix not in (ONNX, SKOPS):
        raise InvalidInput(field="model file", value=path.name, wanted="a .onnx or .skops file, or a bundle's folder")
    if rows is None:
        wanted = "--rows FILE --target COLUMN: some of the rows it is for, and what is right for them"
        raise InvalidInput(f"{path.name}: {wanted} is needed beside it", field="rows")
    return _converted(path, rows)


def _converted(path: Path, rows: Rows) -> Candidate:
    try:
        from opsloop.models import importing  # the extra `training`
    except ImportError as error:
        raise ExtraNeeded(what="bringing in a model of another tool", extra="training") from error
    table = _table(rows)
    of_kind = importing.of_onnx if path.suffix == ONNX else importing.of_skops
    return of_kind(path.read_bytes(), table.X, table.y, _signature(table))


def _table(rows: Rows) -> Table:
    from opsloop.datasets.formats import registry as formats
    from opsloop.datasets.staging import staging, written
    from opsloop.training.pipeline import PipelineSpec
    from opsloop.training.reading import table_in

    if not rows.file.is_file():
        raise NotFound(f"{rows.file} is not there; wanted a file of rows")
    spec = PipelineSpec(target=rows.target, features=rows.features, task=rows.task)
    with staging(rows.file.name) as place:
        staged = formats.staged(place, rows.file)
        return table_in(staged.path or written(place, staged.query), staged.columns, spec)


def _signature(table: Table) -> Signature:
    from opsloop.models.signature import Field, FieldType, Output, Signature, Task

    inputs = tuple(
        Field(each.name, FieldType(each.type.value), each.low, each.high, each.categories, nullable=each.has_missing)
        for each in table.features
    )
    return Signature(inputs, Output(table.target, Task(table.task), table.classes))


def write_pickle(folder: Path) -> Path:
    """Write `model.pkl` beside the model.skops of an exported bundle, for tools that read nothing else.

    Raises: NotFound when the bundle has no form for Python, ExtraNeeded.
    """
    import pickle

    source = folder / "model.skops"
    if not source.is_file():
        raise NotFound(f"{folder} has no model.skops, so there is nothing to make a pickle of; take its model.onnx")
    try:
        from opsloop.models import python_form

        estimator = python_form.read(source.read_bytes())
    except ImportError as error:
        raise ExtraNeeded(what="writing a pickle", extra="training") from error
    file = folder / "model.pkl"
    file.write_bytes(pickle.dumps(estimator))
    return file
