"""Objects of scikit-learn from steps, with their options checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from pkgutil import resolve_name
from typing import Any

from opsloop.core.errors import ExtraNeeded
from opsloop.training.catalogue import ESTIMATORS, STEPS, EstimatorKind, StepKind
from opsloop.training.errors import PipelineInvalid
from opsloop.training.pipeline import Step

_OWN = ("n_jobs", "random_state", "verbose", "warm_start", "copy", "memory")
"""Parameters that are no part of what is learned, or that the run sets itself."""
_SCORES = ("f_classif", "f_regression", "chi2", "mutual_info_classif", "mutual_info_regression")


def transformer(step: Step, options: Mapping[str, Any]) -> Any:
    """Raises: PipelineInvalid naming the option, ExtraNeeded."""
    kind = STEPS.get(step.name) or StepKind(step.name)
    return _made(step, _class(step, kind.dotted), kind.options, options, kind.not_served)


def estimator(step: Step, task: str, options: Mapping[str, Any], labels: Sequence[Any]) -> Any:
    """Raises: PipelineInvalid naming the option, or for an estimator of the other task; ExtraNeeded."""
    kind = ESTIMATORS.get(step.name) or EstimatorKind(step.name, step.name)
    dotted = getattr(kind, task)
    if not dotted:
        known = ", ".join(name for name, each in ESTIMATORS.items() if getattr(each, task))
        raise PipelineInvalid(step.path, f"an estimator for {task}: {known}", value=step.name)
    given = dict(options)
    if isinstance(given.get("class_weight"), Mapping):
        given["class_weight"] = _class_weights(step, given["class_weight"], labels)
    found = _made(step, _class(step, dotted), kind.options, given)
    from sklearn.base import is_classifier, is_regressor

    if step.is_dotted and not (is_classifier if task == "classification" else is_regressor)(found):
        raise PipelineInvalid(step.path, f"an estimator for {task}", value=step.name)
    return found


def _class_weights(step: Step, weights: Mapping[Any, Any], labels: Sequence[Any]) -> dict[Any, Any]:
    """By label, whatever its type: keys of JSON are text. Raises: PipelineInvalid."""
    known = {str(label): label for label in labels} | {str(label).lower(): label for label in labels}
    for name in weights:
        if str(name) not in known:
            wanted = f"one of the classes {', '.join(map(str, labels))}"
            raise PipelineInvalid(f"{step.path}.class_weight.{name}", wanted, known=list(known), value=name)
    return {known[str(name)]: weight for name, weight in weights.items()}


def _class(step: Step, dotted: str) -> Any:
    """Raises: PipelineInvalid for a class that is not there or does not become ONNX, ExtraNeeded."""
    try:
        import sklearn  # noqa: F401  # an extra
        from skl2onnx._supported_operators import sklearn_operator_name_map
    except ImportError as error:
        raise ExtraNeeded(what="training a model", extra="training") from error
    try:
        found = resolve_name(dotted)
    except (ImportError, AttributeError, ValueError):
        raise PipelineInvalid(step.path, "a class that scikit-learn has", value=step.name) from None
    if found not in sklearn_operator_name_map:
        wanted = "a class that becomes ONNX; this one does not, so no endpoint could serve it"
        raise PipelineInvalid(step.path, wanted, value=step.name)
    return found


def _made(
    step: Step, cls: Any, defaults: Mapping[str, Any], options: Mapping[str, Any], not_served: tuple[str, ...] = ()
) -> Any:
    """The object with its options checked, by scikit-learn's own rules. Raises: PipelineInvalid naming the option."""
    from sklearn.utils._param_validation import InvalidParameterError

    known = [name for name in signature(cls).parameters if name not in (*_OWN, *not_served)]
    for name in options:
        if name in not_served:
            wanted = "no such option: with it the served form would say something else than what was trained"
            raise PipelineInvalid(f"{step.path}.{name}", wanted, value=options[name])
        if name not in known:
            raise PipelineInvalid(f"{step.path}.{name}", f"one of {', '.join(known)}", known=known, value=name)
    values = {**defaults, **{name: _function_or_value(step, name, value) for name, value in options.items()}}
    if values.get("encode") == "ordinal" and "quantile_method" in signature(cls).parameters:
        values.setdefault("quantile_method", "averaged_inverted_cdf")
    try:
        found = cls(**values)
    except TypeError:
        wanted = "a class that needs no other estimator; build: with a function of yours can make this one"
        raise PipelineInvalid(step.path, wanted, value=step.name) from None
    try:
        found._validate_params()
    except InvalidParameterError as error:
        name = next((each for each in values if f"'{each}'" in str(error)), "")
        wanted = str(error).partition(" must be ")[2].partition(". Got ")[0] or str(error)
        raise PipelineInvalid(f"{step.path}.{name}", wanted, value=options.get(name)) from None
    return found


def _function_or_value(step: Step, name: str, value: Any) -> Any:
    if name == "score_func":
        if value not in _SCORES:
            raise PipelineInvalid(f"{step.path}.{name}", f"one of {', '.join(_SCORES)}", known=_SCORES, value=value)
        return resolve_name(f"sklearn.feature_selection.{value}")
    if isinstance(value, list) and name in ("feature_range", "ngram_range", "quantile_range"):
        return tuple(value)
    return value
