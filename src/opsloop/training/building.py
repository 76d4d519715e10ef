"""A declared pipeline as an estimator of scikit-learn that is not fitted yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from opsloop.datasets.models import ColumnType
from opsloop.training import parts as parts_of
from opsloop.training.catalogue import ESTIMATORS, STEPS, Over, StepKind
from opsloop.training.errors import DataUnfit, PipelineInvalid
from opsloop.training.pipeline import PipelineSpec, Step
from opsloop.training.table import Feature

_ENCODERS = ("one_hot", "ordinal", "target_encode", "tfidf")
_IMPUTERS = ("impute",)
_TRANSFORMS = {"log": (np.log, np.exp), "log1p": (np.log1p, np.expm1)}


MOST_COLUMNS = 1_000


@dataclass(frozen=True, slots=True)
class Stage:
    """A step and which features it takes; None: everything that the steps before it gave."""

    step: Step
    columns: tuple[str, ...] | None


def completed(spec: PipelineSpec, features: Sequence[Feature]) -> tuple[PipelineSpec, tuple[str, ...]]:
    """The pipeline with the steps that its columns need and that it does not name, and a note on each.

    Texts are one-hot encoded; missing numbers get the median where the estimator cannot do without.
    """
    if spec.function is not None:
        return spec, ()
    stages = _stages(spec, features)
    covered = {
        step: {name for each in stages if each.step.name in step for name in each.columns or ()}
        for step in (_ENCODERS, _IMPUTERS)
    }
    added, notes = [], []
    takes_missing = spec.steps[-1].name in ESTIMATORS and ESTIMATORS[spec.steps[-1].name].takes_missing
    bare = tuple(each.name for each in features if not each.is_text and each.has_missing)
    bare = tuple(name for name in bare if name not in covered[_IMPUTERS])
    if bare and not takes_missing:
        added.append(Step("impute", {}, bare, spec.at("steps")))
        notes.append(f"missing numbers of {', '.join(bare)} become the median; a step such as impute says otherwise")
    texts = tuple(each.name for each in features if each.is_text and each.name not in covered[_ENCODERS])
    if texts:
        added.append(Step("one_hot", {}, texts, spec.at("steps")))
        notes.append(f"{', '.join(texts)} become one column for each text; a step such as ordinal says otherwise")
    return replace(spec, steps=(*added, *spec.steps)), tuple(notes)


def built(
    spec: PipelineSpec,
    features: Sequence[Feature],
    task: str,
    overrides: Mapping[str, Any],
    labels: Sequence[Any] = (),
) -> Any:
    """An estimator with the options of the pipeline and, over them, those of a search.

    Args:
        overrides: values by `step.option`.
        labels: of the target, that weights of classes may name.
    Raises: PipelineInvalid naming the option, ExtraNeeded.
    """
    options = _overridden(spec, overrides)
    stages = _stages(spec, features)
    columnwise = [each for each in stages if each.columns is not None]
    parts: list[tuple[str, Any]] = []
    if columnwise:
        parts.append(("columns", _columnwise(columnwise, features, options)))
    parts += [
        (_plain(each.step.name), parts_of.transformer(each.step, options[each.step.path]))
        for each in stages
        if each.columns is None
    ]
    last = spec.steps[-1]
    estimator = parts_of.estimator(last, task, options[last.path], labels)
    parts.append((_plain(last.name), _around(spec, estimator, task)))
    return _pipeline(parts)


def _around(spec: PipelineSpec, estimator: Any, task: str) -> Any:
    """The estimator with probabilities that are calibrated, or behind the logarithm of its target.

    Calibration by a sigmoid (J. Platt, Probabilistic outputs for support vector machines, 1999) of what folds say;
    a support vector machine has no probabilities without. An isotonic one has steps, which float32 cannot keep.
    """
    if task == "classification" and (spec.calibrate or not hasattr(estimator, "predict_proba")):
        from sklearn.calibration import CalibratedClassifierCV

        return CalibratedClassifierCV(estimator, method="sigmoid", ensemble=False)
    if task == "classification" and spec.target_transform:
        wanted = "nothing: it is for numbers, and the target has classes"
        raise PipelineInvalid(spec.at("target_transform"), wanted, value=spec.target_transform)
    if task == "regression" and spec.calibrate:
        raise PipelineInvalid(spec.at("calibrate"), "false: it is for classes, and the target has numbers", value=True)
    if task == "regression" and spec.target_transform:
        from sklearn.compose import TransformedTargetRegressor

        there, back = _TRANSFORMS[spec.target_transform]
        return TransformedTargetRegressor(estimator, func=there, inverse_func=back)
    return estimator


def _stages(spec: PipelineSpec, features: Sequence[Feature]) -> list[Stage]:
    """Raises: PipelineInvalid for columns that are no features, and a step on columns after one on everything."""
    names = [each.name for each in features]
    found: list[Stage] = []
    for step in spec.steps[:-1]:
        kind = STEPS.get(step.name) or StepKind(step.name, Over.ALL)
        over = kind.over
        if step.columns is not None:
            for place, name in enumerate(step.columns):
                if name not in names:
                    wanted = f"one of the features {', '.join(names)}"
                    raise PipelineInvalid(f"{step.path}.columns[{place}]", wanted, known=names, value=name)
            columns: tuple[str, ...] | None = step.columns
        elif over is Over.ALL or (over is Over.NUMBERS and found and found[-1].columns is None):
            columns = None
        else:
            columns = tuple(each.name for each in features if _is_for(kind, each))
        if columns is not None and found and found[-1].columns is None:
            wanted = f"a place before {found[-1].step.name}, which makes one table of all columns"
            raise PipelineInvalid(step.path, wanted, value=step.name)
        _check_kinds(step, over, columns, features)
        if columns is None or columns:
            found.append(Stage(step, columns))
    return found


def _is_for(kind: StepKind, feature: Feature) -> bool:
    if feature.type is ColumnType.BOOLEAN and not kind.takes_booleans:
        return False
    return feature.is_text == (kind.over is Over.TEXT)


def _check_kinds(step: Step, over: Over, columns: tuple[str, ...] | None, features: Sequence[Feature]) -> None:
    texts = [each.name for each in features if each.is_text and each.name in (columns or ())]
    if over is Over.NUMBERS and texts:
        wanted = f"columns of numbers; {texts[0]} is text, for which there are {', '.join(_ENCODERS)}"
        raise PipelineInvalid(f"{step.path}.columns", wanted, value=list(columns or ()))


def _columnwise(stages: Sequence[Stage], features: Sequence[Feature], options: Mapping[str, Mapping[str, Any]]) -> Any:
    """A transformer with one branch for all columns that go through the same steps."""
    from sklearn.compose import ColumnTransformer  # an extra, one second

    chains: dict[tuple[int, ...], list[int]] = {}
    for place, feature in enumerate(features):
        chain = tuple(number for number, stage in enumerate(stages) if feature.name in (stage.columns or ()))
        # The vectoriser of texts takes one column.
        chains.setdefault((*chain, -1 - place) if _is_alone(stages, chain) else chain, []).append(place)
    branches = []
    for number, (chain, places) in enumerate(chains.items()):
        steps = [stages[each].step for each in chain if each >= 0]
        made = [(_plain(step.name), parts_of.transformer(step, options[step.path])) for step in steps]
        alone = places[0] if _is_alone(stages, chain) else places
        branches.append((f"part{number}", _pipeline(made) if made else "passthrough", alone))
    return ColumnTransformer(branches, sparse_threshold=0.0, verbose_feature_names_out=False)


def _is_alone(stages: Sequence[Stage], chain: tuple[int, ...]) -> bool:
    return any(stages[each].step.name == "tfidf" for each in chain if each >= 0)


def _pipeline(parts: Sequence[tuple[str, Any]]) -> Any:
    from sklearn.pipeline import Pipeline

    if len(parts) == 1:
        return parts[0][1]
    names: dict[str, int] = {}
    named = []
    for name, part in parts:
        names[name] = names.get(name, 0) + 1
        named.append((name if names[name] == 1 else f"{name}_{names[name]}", part))
    return Pipeline(named)


def _overridden(spec: PipelineSpec, overrides: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The options of each step by its path. Raises: PipelineInvalid for an override of no step."""
    found = {step.path: dict(step.options) for step in spec.steps}
    by_name = {_plain(step.name): step for step in spec.steps}
    by_name |= {step.name: step for step in spec.steps}
    for key, value in overrides.items():
        name, _, option = key.rpartition(".")
        if name not in by_name:
            known = [step.name for step in spec.steps]
            field = f"{spec.at('search')}.over.{key}"
            wanted = f"step.option with one of the steps {', '.join(known)}"
            raise PipelineInvalid(field, wanted, known=[f"{each}.{option}" for each in known], value=key)
        found[by_name[name].path][option] = value
    return found


def _plain(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else name


def check_features(spec: PipelineSpec, features: Sequence[Feature]) -> None:
    """Raises: DataUnfit for a text with so many values that columns of them make no sense."""
    for stage in _stages(spec, features):
        if stage.step.name != "one_hot":
            continue
        for each in features:
            if each.name in (stage.columns or ()) and each.distinct > MOST_COLUMNS:
                wanted = (
                    f"at most {MOST_COLUMNS} different texts for a column each; it has {each.distinct}: "
                    "use target_encode or ordinal with max_categories, or leave it out of features"
                )
                raise DataUnfit(field=f"{spec.at('features')}: column {each.name}", wanted=wanted)
