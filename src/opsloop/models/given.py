"""A model that is named by its files: a bundle's folder, the model.onnx in it, or an ONNX file alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from opsloop.core.errors import InvalidInput, NotFound
from opsloop.models import bare, runtime
from opsloop.models import bundle as bundles
from opsloop.models.errors import FileUnusable
from opsloop.models.runtime import LoadedModel

log = structlog.get_logger()
_PICKLES = (".pkl", ".pickle", ".joblib", ".sav")


class Pickled(InvalidInput):
    template = (
        "{file} is a pickle, and loading one runs whatever is inside: it is not loaded. Where you trust it, convert it "
        "to ONNX (skl2onnx: `to_onnx(model, X[:1].astype('float32'), options={{'zipmap': False}})`) and use the "
        ".onnx file, or train it here with `opsloop train run`"
    )


class NoSuchFile(NotFound):
    template = "no file or folder {file}; a model of the registry is named as NAME or NAME@VERSION"


@dataclass(frozen=True, slots=True)
class Given:
    """Args: name: of its folder or file."""

    model: LoadedModel
    name: str


def given(word: str, others: Mapping[str, bytes] | None = None) -> Given | None:
    """The model, or None for a word that names no file: it may be one of the registry.

    Args:
        others: files in place of the bundle's own, such as `baseline.npy`.
    Raises: Pickled, NoSuchFile, FileUnusable, ModelFileBroken, NoCertificate.
    """
    path = Path(word)
    if path.suffix.lower() in _PICKLES or _begins_as_pickle(path):
        raise Pickled(file=path)
    if path.suffix.lower() == ".onnx" and not path.is_file():
        raise NoSuchFile(file=path)
    if path.name == bundles.MODEL and (path.parent / bundles.MANIFEST).is_file():
        path = path.parent
    if path.suffix.lower() == ".onnx":
        found = Given(LoadedModel(bare.bundle_of(path, others=others)), path.stem)
        log.warning("model_unchecked", file=str(path), reason="nothing says that it agrees with what was trained")
        return found
    if path.is_file():
        raise FileUnusable(file=path, reason="is neither an .onnx file nor a folder of `opsloop model export`")
    if not path.is_dir():
        if len(path.parts) > 1:
            raise NoSuchFile(file=path)
        return None
    if not (path / bundles.MANIFEST).is_file():
        raise FileUnusable(file=path, reason=f"has no {bundles.MANIFEST}; wanted a folder of `opsloop model export`")
    model = runtime.load_folder(path)
    return Given(replaced(model, others), path.resolve().name)


def replaced(model: LoadedModel, others: Mapping[str, bytes] | None) -> LoadedModel:
    """The model with other files of its bundle. Raises: ModelFileBroken."""
    return LoadedModel(bare.with_files(model.bundle, others)) if others else model


def _begins_as_pickle(path: Path) -> bool:
    """Whether a file begins as pickles of protocol 2 and later do; an ONNX file begins with another byte."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(1) == b"\x80"
