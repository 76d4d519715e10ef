"""The nouns of the registry: a model version and the certificate of its conversion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

from opsloop.models.signature import Signature, Task

ModelVersionId = NewType("ModelVersionId", str)


@dataclass(frozen=True, slots=True)
class Parity:
    """How far the served form of a model agrees with the trained one.

    Args:
        rows: compared: those of training, or a sample of them, and rows beside the thresholds of trees.
        largest_difference: between two predictions (regression) or two probabilities (classification).
        flips: rows on which the two chose another class, all of them ties within `largest_difference`.
        precision: of the served form's numbers, `float32` or `float64`.
        tolerance: the largest difference that was let in.
    """

    rows: int
    largest_difference: float
    flips: int
    precision: str
    tolerance: float


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One immutable version of a trained model.

    Args:
        digest: sha256 of the bundle's manifest, and so of every file of the bundle.
        artifact: key of the manifest in the artifact store.
        dataset: version it was trained on, such as `iris@3`; empty when that is not known.
        run: training run it came from; empty when it was imported.
        framework: what trained it, with its version, such as `scikit-learn 1.7.0`.
    """

    id: ModelVersionId
    name: str
    version: int
    digest: str
    artifact: str
    task: Task
    signature: Signature
    metrics: Mapping[str, float]
    parity: Parity
    framework: str
    dataset: str
    run: str
    created_at: datetime
    created_by: str
    aliases: tuple[str, ...] = field(default=())

    @property
    def ref(self) -> str:
        return f"{self.name}@{self.version}"
