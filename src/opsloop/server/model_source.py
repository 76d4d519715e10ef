"""Where a service gets its model from: a file, a folder, or the registry of a project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog

from opsloop.core.caller import system
from opsloop.core.errors import InvalidInput
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.models import bare, runtime
from opsloop.models import bundle as bundles
from opsloop.models import service as models
from opsloop.models.runtime import LoadedModel

log = structlog.get_logger()
PICKLES = (".pkl", ".pickle", ".joblib", ".sav")


class Pickled(InvalidInput):
    template = (
        "{file} is a pickle, and loading one runs whatever is inside: it is not loaded. Where you trust it, convert it "
        "to ONNX (skl2onnx: `to_onnx(model, X[:1].astype('float32'), options={{'zipmap': False}})`) and serve the "
        ".onnx file, or train it here with `opsloop train run`"
    )


@dataclass(frozen=True, slots=True)
class Found:
    """Args:
    name: of the model.
    serves: with its version, or the start of its digest.
    """

    model: LoadedModel
    name: str
    serves: str


def found(
    wanted: str, settings: CoreSettings, *, baseline: Path | None = None, expectations: Path | None = None
) -> Found:
    """The model that a word means. Raises: Pickled, ModelFileBroken, ModelMissing, ModelVersionMissing, NoCertificate.

    Args:
        wanted: a folder of a bundle, an .onnx file, or a name of the registry.
        baseline, expectations: in place of the bundle's own.
    """
    others = {}
    if baseline is not None:
        others[bundles.BASELINE] = bare.rows_of(baseline)
    if expectations is not None:
        others[bundles.EXPECTATIONS] = bare.rules_of(expectations)
    path = Path(wanted)
    if path.suffix.lower() in PICKLES or _begins_as_pickle(path):
        raise Pickled(file=path)
    if path.name == bundles.MODEL and (path.parent / bundles.MANIFEST).is_file():
        path = path.parent
    if path.suffix == ".onnx":
        log.warning(
            "model_unchecked", file=str(path), reason="no certificate says that it agrees with what was trained"
        )
        return _named(LoadedModel(bare.bundle_of(path, others=others)), path.stem)
    if path.is_dir():
        model = runtime.load_folder(path)
        return _named(_with(model, others), path.resolve().name)
    return _registered(wanted, settings, others)


def _registered(wanted: str, settings: CoreSettings, others: dict[str, bytes]) -> Found:
    workspace = open_workspace(settings)
    try:
        with workspace.reading(system("serve")) as uow:
            version = models.get(uow, wanted)
        return Found(_with(runtime.load(workspace, version.digest), others), version.name, version.ref)
    finally:
        workspace.close()


def _with(model: LoadedModel, others: dict[str, bytes]) -> LoadedModel:
    return LoadedModel(bare.with_files(model.bundle, others)) if others else model


def _named(model: LoadedModel, name: str) -> Found:
    return Found(model, name, f"{name}@{model.digest[:12]}")


def _begins_as_pickle(path: Path) -> bool:
    """Whether a file begins as pickles of protocol 2 and later do; an ONNX file begins with another byte."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(1) == b"\x80"
