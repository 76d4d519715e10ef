"""Rows for a batch: those of a file in any of the formats of datasets, or those of a dataset version of the project."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from opsloop.core.caller import system
from opsloop.core.context import current_workspace
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.datasets.formats import delimited, registry

_BY = system("batch")
# By name: only rows of a dataset need the database's library, and a batch of a file starts without it.
_DATASETS = "opsloop.datasets.service"
_AS_TEXT = frozenset({".csv", ".tsv"})
_IMAGE_FILE = re.compile(r"data:(image/[\w.+*-]+);path")


class RowsMissing(NotFound):
    template = "no rows at {source}: there is no such file{here}; a dataset of the project is named like golden@3"


def read(source: Path | str) -> list[dict[str, Any]]:
    """The rows, in order.

    A cell of CSV or TSV stays the text it is: the flow's inputs say what type they want, as in Prompt flow. An image
    that a row names by a path is looked for beside the file.

    Args:
        source: a file (`.jsonl`, `.ndjson`, `.json`, `.csv`, `.tsv`, `.parquet`), or a dataset version, `golden@3`.
    Raises: RowsMissing, InvalidInput, FileBroken naming file, line and column, DatasetTooLarge, ExtraNeeded.
    """
    path = Path(source)
    if path.is_dir():
        wanted = f"a file of rows ({', '.join(registry.known())})"
        raise InvalidInput(f"{source} is a folder; wanted {wanted}", field="data", value=str(source), wanted=wanted)
    if path.exists():
        return _of_file(path)
    return _of_dataset(str(source))


def _of_file(path: Path) -> list[dict[str, Any]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", field="data", value=str(path)) from None
    as_text = path.suffix.lower() in _AS_TEXT
    rows = (delimited.as_text(path.name, data) if as_text else registry.read(path.name, data)).rows
    folder = path.parent
    return [{name: _with_images(value, folder) for name, value in row.items()} for row in rows]


def _of_dataset(ref: str) -> list[dict[str, Any]]:
    workspace = current_workspace.get(None)
    if workspace is None or "/" in ref or Path(ref).suffix in registry.known():
        raise RowsMissing(source=ref, here="" if workspace is not None else ", and no project here")
    datasets = resolve_name(_DATASETS)
    with workspace.reading(_BY) as uow:
        return list(datasets.rows(uow, datasets.get(uow, ref)))


def _with_images(value: Any, folder: Path, depth: int = 0) -> Any:
    """The value with the images beside the data file in it: a flow reads no files outside of its own folder."""
    if depth > 100:
        return value
    if isinstance(value, list):
        return [_with_images(part, folder, depth + 1) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        key, path = next(iter(value.items()))
        found = _IMAGE_FILE.fullmatch(key)
        if found is not None and isinstance(path, str) and (image := _beside(folder, path)) is not None:
            return {f"data:{found[1]};base64": base64.b64encode(image.read_bytes()).decode()}
    return {key: _with_images(part, folder, depth + 1) for key, part in value.items()}


def _beside(folder: Path, path: str) -> Path | None:
    place = folder / path
    return place if place.resolve().is_relative_to(folder.resolve()) and place.is_file() else None
