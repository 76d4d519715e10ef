"""Where a service gets its model from: a file, a folder, or the registry of a project."""

from __future__ import annotations

from collections.abc import Iterable
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
from opsloop.models.bundle import Bundle
from opsloop.models.errors import FileUnusable
from opsloop.models.given import given, replaced
from opsloop.models.runtime import LoadedModel
from opsloop.models.values import SHOWN_NAMES
from opsloop.monitoring.drift.facts import rules_of
from opsloop.monitoring.drift.fitting import LEAST_ROWS
from opsloop.monitoring.expectations.reading import read

log = structlog.get_logger()


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
    """The model that a word means, checked with the files that are named beside it: a bad one is told of at the start.

    Args:
        wanted: a folder of a bundle, an .onnx file, or a name of the registry.
        baseline, expectations: in place of the bundle's own.
    Raises: Pickled, NoSuchFile, FileUnusable, ModelFileBroken, ModelMissing, ModelVersionMissing, NoCertificate.
    """
    others = {}
    if baseline is not None:
        others[bundles.BASELINE] = bare.rows_of(baseline)
    if expectations is not None:
        others[bundles.EXPECTATIONS] = bare.rules_of(expectations)
    files = given(wanted, others)
    if files is None:
        source = _registered(wanted, settings, others)
    else:
        source = Found(files.model, files.name, f"{files.name}@{files.model.digest[:12]}")
    _check_rows(baseline, source.model.bundle)
    _check_rules(expectations, source.model.bundle)
    return source


def _registered(wanted: str, settings: CoreSettings, others: dict[str, bytes]) -> Found:
    workspace = open_workspace(settings)
    try:
        with workspace.reading(system("serve")) as uow:
            version = models.get(uow, wanted)
        return Found(replaced(runtime.load(workspace, version.digest), others), version.name, version.ref)
    finally:
        workspace.close()


def _check_rows(file: Path | None, bundle: Bundle) -> None:
    """Whether reference rows can be read; of those in a file, whether they are the model's, and enough.

    Raises: FileUnusable, ModelFileBroken.
    """
    rows, names = bundle.baseline, bundle.signature.names
    if file is None or rows is None:
        return
    if rows.shape[1] != len(names):
        reason = f"has {rows.shape[1]} columns; wanted the model's {len(names)}: {_listed(names)}"
        raise FileUnusable(file=file, reason=reason)
    if len(rows) < LEAST_ROWS:
        reason = f"has {len(rows)} rows; wanted at least {LEAST_ROWS}, for with fewer nothing can be told from chance"
        raise FileUnusable(file=file, reason=reason)


def _check_rules(file: Path | None, bundle: Bundle) -> None:
    """Whether expectations can be read; of those in a file, which no request can be checked for is told.

    Raises: FileUnusable, ModelFileBroken.
    """
    document = bundle.document(bundles.EXPECTATIONS)
    try:
        read(document)
    except InvalidInput as error:
        raise FileUnusable(file=file or bundles.EXPECTATIONS, reason=error.sentence) from None
    for each in () if file is None else rules_of(bundle).unchecked:
        log.warning("expectation_not_checked", expectation=each.expectation, reason=each.reason)


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join(known[:SHOWN_NAMES]) + (", …" if len(known) > SHOWN_NAMES else "")
