"""Two versions of models side by side: figures, signature, what they look at, how well they were converted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from opsloop.models.models import ModelVersion
from opsloop.models.signature import Field, Signature

HIGHER_IS_BETTER = frozenset(
    {"accuracy", "balanced_accuracy", "f1_macro", "roc_auc", "r2", "f1", "precision", "recall"}
)
LOWER_IS_BETTER = frozenset({"mse", "rmse", "mae", "log_loss", "brier", "expected_calibration_error"})


@dataclass(frozen=True, slots=True)
class MetricChange:
    """A figure of both; None where a version has none.

    Args:
        is_better: whether `head` is better by it; None when they are equal or nobody knows which way is better.
    """

    name: str
    base: float | None
    head: float | None
    difference: float | None
    is_better: bool | None


@dataclass(frozen=True, slots=True)
class InputChange:
    """What became of an input, in words."""

    name: str
    what: str


@dataclass(frozen=True, slots=True)
class ImportanceChange:
    """How much each version leans on an input; None where it is not among those measured."""

    name: str
    base: float | None
    head: float | None


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Args:
    is_same: whether both are one bundle, file by file.
    inputs: what differs in the signature; empty when callers may send the same rows to both.
    importance_by: the figure it was measured by, of `head`.
    sentence: the outcome in words.
    """

    base: ModelVersion
    head: ModelVersion
    is_same: bool
    metrics: tuple[MetricChange, ...]
    inputs: tuple[InputChange, ...]
    importance: tuple[ImportanceChange, ...]
    importance_by: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Importance:
    """What a version looks at: how much worse `metric` gets when an input is shuffled, and the spread of that."""

    metric: str
    by_input: Mapping[str, float]
    spread: Mapping[str, float]


def compared(base: ModelVersion, head: ModelVersion, old: Importance, new: Importance) -> ModelComparison:
    """Args:
    old, new: what `base` and `head` look at.
    """
    metrics = tuple(metric_changes(base.metrics, head.metrics))
    inputs = tuple(signature_changes(base.signature, head.signature))
    return ModelComparison(
        base=base,
        head=head,
        is_same=base.digest == head.digest,
        metrics=metrics,
        inputs=inputs,
        importance=tuple(_importance_changes(old.by_input, new.by_input)),
        importance_by=new.metric or old.metric,
        sentence=_sentence(base, head, metrics, inputs),
    )


def metric_changes(base: Mapping[str, float], head: Mapping[str, float]) -> Iterator[MetricChange]:
    """In the order of `head`, then what only `base` has."""
    for name in [*head, *(each for each in base if each not in head)]:
        before, after = base.get(name), head.get(name)
        difference = after - before if before is not None and after is not None else None
        is_better: bool | None = None
        if difference and name in HIGHER_IS_BETTER | LOWER_IS_BETTER:
            is_better = (difference > 0) == (name in HIGHER_IS_BETTER)
        yield MetricChange(name, before, after, difference, is_better)


def signature_changes(base: Signature, head: Signature) -> Iterator[InputChange]:
    """What a caller must know who sends rows to `head` as to `base`; ranges that moved come last."""
    old, new = ({field.name: field for field in each.inputs} for each in (base, head))
    for name in [*new, *(each for each in old if each not in new)]:
        if name not in old:
            yield InputChange(name, f"is new, a {new[name].type.value}")
        elif name not in new:
            yield InputChange(name, "is gone")
        elif old[name].type is not new[name].type:
            yield InputChange(name, f"was a {old[name].type.value} and is a {new[name].type.value}")
        elif old[name].nullable and not new[name].nullable:
            yield InputChange(name, "may no longer be missing")
    if list(old) != list(new) and set(old) == set(new):
        yield InputChange("inputs", f"are in another order: {', '.join(new)}")
    if base.output != head.output:
        yield InputChange(head.output.name, _output_words(base, head))
    for name in new:
        if name in old and old[name].type is new[name].type and (words := _range_words(old[name], new[name])):
            yield InputChange(name, words)


def _output_words(base: Signature, head: Signature) -> str:
    before, after = base.output, head.output
    if before.name != after.name:
        return f"is predicted in place of {before.name}"
    if before.task is not after.task:
        return f"was predicted by {before.task.value} and is by {after.task.value}"
    gone = [str(each) for each in before.classes if each not in after.classes]
    added = [str(each) for each in after.classes if each not in before.classes]
    parts = [f"has the new classes {', '.join(added)}"] if added else []
    parts += [f"has no class {', '.join(gone)} any more"] if gone else []
    return " and ".join(parts) or "has its classes in another order"


def _range_words(before: Field, after: Field) -> str:
    if (before.low, before.high) != (after.low, after.high):
        return f"ranged from {_number(before.low)} to {_number(before.high)} and now from {_number(after.low)} to " + (
            _number(after.high)
        )
    if before.categories != after.categories:
        added = [each for each in after.categories if each not in before.categories]
        gone = [each for each in before.categories if each not in after.categories]
        parts = [f"{len(added)} new ({', '.join(added[:5])})"] if added else []
        parts += [f"{len(gone)} gone ({', '.join(gone[:5])})"] if gone else []
        return f"has other categories: {'; '.join(parts)}"
    return ""


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.6g}"


def _importance_changes(base: Mapping[str, float], head: Mapping[str, float]) -> Iterator[ImportanceChange]:
    names = sorted({*base, *head}, key=lambda name: (-abs(head.get(name, base.get(name, 0.0))), name))
    for name in names:
        yield ImportanceChange(name, base.get(name), head.get(name))


def _sentence(
    base: ModelVersion, head: ModelVersion, metrics: Sequence[MetricChange], inputs: Sequence[InputChange]
) -> str:
    if base.digest == head.digest:
        return f"{head.ref} is the very bundle of {base.ref}"
    better = sum(each.is_better is True for each in metrics)
    worse = sum(each.is_better is False for each in metrics)
    if better and not worse:
        figures = f"{head.ref} is better than {base.ref} by every figure that differs ({better})"
    elif worse and not better:
        figures = f"{head.ref} is worse than {base.ref} by every figure that differs ({worse})"
    elif better:
        figures = f"{head.ref} is better than {base.ref} by {better} and worse by {worse} figures"
    else:
        figures = f"no figure says that {head.ref} is better or worse than {base.ref}"
    breaking = [each for each in inputs if "ranged" not in each.what and "categories" not in each.what]
    return f"{figures}; callers send other rows: {breaking[0].name} {breaking[0].what}" if breaking else figures
