"""From a trained model to what the registry takes."""

from __future__ import annotations

import msgspec

from opsloop.models.candidate import Candidate
from opsloop.models.conversion import candidate_of
from opsloop.models.signature import Field, FieldType, Output, Signature, Task
from opsloop.training.trained import Trained


def candidate(trained: Trained, *, seed: int = 0) -> Candidate:
    """The bundle's files with the certificate that ONNX says what was trained.

    Raises: ParityMissed, ModelFileBroken.
    """
    return candidate_of(
        trained.estimator,
        trained.reference.X,
        trained.reference.y,
        signature(trained),
        metrics=trained.metrics,
        importance=msgspec.to_builtins(trained.importance) if trained.importance is not None else None,
        conformal=msgspec.to_builtins(trained.conformal) if trained.conformal is not None else None,
        environment=trained.environment,
        said=trained.reference.said,
        compared=trained.rows_known,
        with_skops=trained.is_of_scikit_learn,
        seed=seed,
    )


def signature(trained: Trained) -> Signature:
    """What the model takes and gives, as its rows show it."""
    inputs = tuple(
        Field(each.name, FieldType(each.type.value), each.low, each.high, each.categories, nullable=each.has_missing)
        for each in trained.features
    )
    return Signature(inputs, Output(trained.target, Task(trained.task), trained.classes))
