"""What an evaluation is of: a version of a flow, or of a trained model, by the inputs it takes and outputs it gives."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from opsloop.core.workspace import UnitOfWork
from opsloop.datasets.models import DatasetVersion
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.models import ExperimentEvaluator
from opsloop.flows import versions as flows
from opsloop.flows.models import Flow, FlowInput, FlowOutput, FlowVersion, Literal, ValueType
from opsloop.models import service as models
from opsloop.models.models import ModelVersion
from opsloop.models.signature import FieldType, Signature

MODEL = "model:"
"""Before the name of a model where a flow could be named: `model:iris@3`."""

PREDICTION, SCORES, INTERVAL = "prediction", "scores", "interval"
_TYPES = {
    FieldType.NUMBER: ValueType.DOUBLE,
    FieldType.INTEGER: ValueType.INT,
    FieldType.BOOLEAN: ValueType.BOOL,
    FieldType.TEXT: ValueType.STRING,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """A version that is evaluated.

    Attributes:
        ref: `answer@2` of a flow, `model:iris@3` of a model.
        flow: the flow; of a model one that takes its inputs and gives `prediction`, `scores` and `interval`.
        label: the column that holds what a model is to predict.
    """

    ref: str
    digest: str
    flow: Flow
    label: str | None = None

    @property
    def is_model(self) -> bool:
        return is_model(self.ref)


def is_model(ref: str) -> bool:
    return ref.startswith(MODEL)


def named(uow: UnitOfWork, ref: str) -> FlowVersion | ModelVersion:
    """The version a text names: `answer@2`, `model:iris@3`, `model:iris@champion`. Raises: NotFound."""
    return models.get(uow, ref.removeprefix(MODEL)) if is_model(ref) else flows.get(uow, ref)


def subject_of(uow: UnitOfWork, version: FlowVersion | ModelVersion) -> Subject:
    """Raises: ArtifactMissing, FlowInvalid."""
    if isinstance(version, FlowVersion):
        return Subject(version.ref, version.digest, flows.read(uow.workspace, version))
    signature = version.signature
    return Subject(f"{MODEL}{version.ref}", version.digest, flow_of(version.name, signature), signature.output.name)


def flow_of(name: str, signature: Signature) -> Flow:
    """What a model takes and gives, in the words of a flow."""
    return Flow(
        name=name,
        folder=Path(),
        file="",
        inputs={each.name: FlowInput(each.name, _TYPES[each.type]) for each in signature.inputs},
        outputs={each: FlowOutput(each, ValueType.ANY, Literal(None)) for each in (PREDICTION, SCORES, INTERVAL)},
        nodes=(),
    )


def with_label(use: ExperimentEvaluator, label: str | None, columns: Collection[str]) -> ExperimentEvaluator:
    """The evaluator, reading the truth from the column that a model is to predict, unless it is told otherwise."""
    if label is None or label not in columns or "truth" in use.mappings:
        return use
    return replace(use, mappings={**use.mappings, "truth": f"${{data.{label}}}"})


def check_columns_feed(subject: Subject, mapping: Mapping[str, object], version: DatasetVersion, field: str) -> None:
    """See that a dataset has what a model takes. Raises: ExperimentInvalid naming the input that nothing feeds."""
    columns = [each.name for each in version.schema]
    for name in subject.flow.inputs:
        if name not in mapping and name not in columns:
            wanted = f"where {name} of {subject.ref} comes from, such as ${{data.COLUMN}} ({version.ref} has"
            raise ExperimentInvalid(f"{field}.{name}", f"{wanted} {', '.join(columns)})")
