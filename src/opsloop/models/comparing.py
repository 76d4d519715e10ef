"""Compare two versions of the registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opsloop.core.workspace import UnitOfWork
from opsloop.models import bundle as bundles
from opsloop.models import service
from opsloop.models.comparison import Importance, ModelComparison, compared
from opsloop.models.models import ModelVersion


def compare(uow: UnitOfWork, base: str, head: str) -> ModelComparison:
    """Args:
    base, head: as `service.get` takes them.
    Raises: ModelMissing, ModelVersionMissing.
    """
    before, after = service.get(uow, base), service.get(uow, head)
    return compared(before, after, importance(uow, before), importance(uow, after))


def importance(uow: UnitOfWork, version: ModelVersion) -> Importance:
    """Empty where the bundle has none. Raises: ArtifactMissing, ModelFileBroken."""
    found = bundles.of_store(uow.workspace.artifacts, version.digest).document(bundles.IMPORTANCE)
    if not isinstance(found, dict):
        return Importance("", {}, {})
    features: Sequence[Any] = found.get("features", [])
    known = [each for each in features if isinstance(each, dict) and isinstance(each.get("loss"), int | float)]
    return Importance(
        metric=str(found.get("metric", "")),
        by_input={str(each.get("feature")): float(each["loss"]) for each in known},
        spread={str(each.get("feature")): float(each.get("spread") or 0.0) for each in known},
    )
