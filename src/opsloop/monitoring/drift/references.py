"""The reference of a watched model: fitted once, and kept as an artifact under what it was fitted from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Protocol

import rfc8785
import structlog

from opsloop.core.artifacts.store import ArtifactMissing
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.models import bundle as bundles
from opsloop.models.bundle import Bundle
from opsloop.monitoring.drift import baselines
from opsloop.monitoring.drift.fitted import Unwatched, method_of
from opsloop.monitoring.drift.fitting import fit
from opsloop.monitoring.drift.method import Method
from opsloop.monitoring.drift.options import DriftOptions, Rule
from opsloop.monitoring.drift.reference import Reference

log = structlog.get_logger()
PREFIX = "drift/references"


class WatchedModel(Protocol):
    """What a watch reads of a loaded model."""

    @property
    def digest(self) -> str: ...
    @property
    def bundle(self) -> Bundle: ...


def methods(workspace: Workspace, model: WatchedModel, options: DriftOptions) -> Callable[[str | None], Method]:
    """The method against the model's own baseline (None), or against accepted rows, by their artifact."""

    def method(baseline: str | None) -> Method:
        if options.method is Rule.NONE:
            return Unwatched(None)
        try:
            return method_of(_reference(workspace, model, options, baseline))
        except InvalidInput as error:  # the model serves all the same
            log.warning("drift_not_watched", model=model.digest, reason=error.sentence)
            return Unwatched(None, error.sentence)

    return method


def _reference(workspace: Workspace, model: WatchedModel, options: DriftOptions, baseline: str | None) -> Reference:
    key = f"{PREFIX}/{_digest(model, options, baseline)}"
    try:
        return Reference.from_bytes(workspace.artifacts.get(key))
    except (ArtifactMissing, ValueError):  # not fitted yet, or by another version
        fitted = _fitted(workspace, model.bundle, options, baseline)
        workspace.artifacts.put(key, fitted.to_bytes())
        return fitted


def _digest(model: WatchedModel, options: DriftOptions, baseline: str | None) -> str:
    facts: dict[str, Any] = {"model": model.digest, "options": options.as_mapping(), "baseline": baseline}
    return hashlib.sha256(rfc8785.dumps(facts)).hexdigest()


def _fitted(workspace: Workspace, bundle: Bundle, options: DriftOptions, baseline: str | None) -> Reference:
    signature = bundle.signature
    classes = signature.output.classes
    if baseline is not None:
        X, answers = baselines.decoded(workspace.artifacts.get(baseline), is_numeric=signature.is_numeric)
        return fit(X, answers, signature.names, options, is_ordered=True)
    rows = bundle.baseline
    if rows is None:
        raise InvalidInput(
            "the model's bundle has no baseline rows, so there is nothing to compare with", field="drift"
        )
    codes = bundle.manifest.codes
    said = bundle.array(bundles.BASELINE_PREDICTIONS)
    return fit(rows, said, signature.names, options, categories=codes, classes=classes)
