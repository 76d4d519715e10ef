"""Where a service gets its model from: a file, a folder, or the registry of a project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from opsloop.core.caller import system
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.models import bare, runtime
from opsloop.models import bundle as bundles
from opsloop.models import service as models
from opsloop.models.given import given, replaced
from opsloop.models.runtime import LoadedModel


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
    files = given(wanted, others)
    if files is None:
        return _registered(wanted, settings, others)
    return Found(files.model, files.name, f"{files.name}@{files.model.digest[:12]}")


def _registered(wanted: str, settings: CoreSettings, others: dict[str, bytes]) -> Found:
    workspace = open_workspace(settings)
    try:
        with workspace.reading(system("serve")) as uow:
            version = models.get(uow, wanted)
        return Found(replaced(runtime.load(workspace, version.digest), others), version.name, version.ref)
    finally:
        workspace.close()
