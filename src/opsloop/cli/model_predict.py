"""`opsloop model predict`: what a model says of every row of a file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsloop.cli.session import Session
from opsloop.cli.verbs import lone

if TYPE_CHECKING:
    from opsloop.models.files.predicting import FilePredicted
    from opsloop.models.runtime import LoadedModel


@lone(
    "predict",
    example="""opsloop model predict iris@champion flowers.csv --out predicted.csv
    opsloop model predict exported/iris rows.parquet --out predicted.jsonl --probabilities --alpha 0.1""",
)
@click.argument("model", metavar="MODEL")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="Where to write; its ending chooses the format.",
)
@click.option("--name", default="prediction", show_default=True, help="Column that holds what the model says.")
@click.option("--probabilities", is_flag=True, help="Also a column for each class, with its probability.")
@click.option(
    "--alpha", type=float, metavar="SHARE", help="Also intervals, or sets of classes, that miss the truth this often."
)
def predict(
    session: Session, model: str, file: Path, out: Path, name: str, probabilities: bool, alpha: float | None
) -> None:
    """Predict every row of FILE: CSV, TSV, JSON lines or Parquet, of any size, in order.

    MODEL is NAME[@V] of the registry, the folder of an exported model, or an .onnx file. The rows come out as they
    were, with what the model says beside them. A row that it does not take has no prediction; NAME_error says why, and
    the exit code is 1.
    """
    from opsloop.core.errors import Failed  # what is imported here is not needed for --help
    from opsloop.models.files.predicting import Wanted, predict_file

    wanted = Wanted(name, probabilities, alpha)
    loaded = _loaded(session, model)
    with session.progress("predicting") as progress:
        found = predict_file(loaded, file, out, wanted, progress=lambda rows: progress(rows, 0))
    session.answer({"out": str(out), **_facts(found)}, lambda: _words(found, out))
    if found.broken:
        raise Failed(f"{found.broken:,} of {found.rows:,} rows were not predicted; the first: {found.first}")


COMMANDS = (predict,)


def _loaded(session: Session, word: str) -> LoadedModel:
    from opsloop.models import runtime
    from opsloop.models.given import given

    files = given(word)
    if files is not None:
        return files.model
    with tempfile.TemporaryDirectory(prefix="opsloop-model-") as folder:
        with session.client() as client:
            client.models.export(word, Path(folder))
        return runtime.load_folder(Path(folder))  # what predictions need of it is in memory then


def _facts(found: FilePredicted) -> dict[str, object]:
    return {"rows": found.rows, "broken": found.broken, "first": found.first}


def _words(found: FilePredicted, out: Path) -> str:
    return f"predicted {found.rows - found.broken:,} of {found.rows:,} rows; they are in {out}"
