"""What skl2onnx needs told before it converts.

Its converter of histogram gradient boosting writes truth values where ONNX wants whole numbers, which protobuf refuses
from version 6 on. Its imputer is one that ONNX Runtime has for float32 only. It has no converter for a target that is
learned in another scale.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from opsloop.models import targets

_TREES = ("DecisionTree", "ExtraTree", "RandomForest", "ExtraTrees", "HistGradientBoosting")
_ROUNDING = tuple(f"{name}{task}" for name in _TREES for task in ("Classifier", "Regressor"))
_ALIASES = ("SklearnHistGradientBoostingClassifier", "SklearnHistGradientBoostingRegressor")


@cache
def prepare() -> None:
    """Mend the converters, once in a process."""
    from skl2onnx.common._registration import get_converter

    for alias in _ALIASES:
        registered = get_converter(alias)
        registered._fct = _with_numbers(registered._fct)
    imputer = get_converter("SklearnSimpleImputer")
    imputer._fct = _in_float64_too(imputer._fct)
    targets.register()


def cast_before_trees(estimator: Any) -> Any:
    """A pipeline that ends in trees with a rounding to float32 in front of them, as scikit-learn has it."""
    import numpy as np
    from skl2onnx.sklapi import CastTransformer
    from sklearn.pipeline import Pipeline

    if not isinstance(estimator, Pipeline):
        return estimator
    last = estimator[-1]
    around = {"TransformedTargetRegressor": "regressor", "CalibratedClassifierCV": "estimator"}.get(type(last).__name__)
    within = last if around is None else getattr(last, around)
    if type(within).__name__ not in _ROUNDING:
        return estimator
    return Pipeline([*estimator.steps[:-1], ("cast", CastTransformer(dtype=np.float32)), estimator.steps[-1]])


def _with_numbers(convert: Any) -> Any:
    def converter(scope: Any, operator: Any, container: Any) -> Any:
        return convert(scope, operator, _Numbers(container))

    return converter


def _in_float64_too(convert: Any) -> Any:
    import numpy as np
    from skl2onnx.algebra.onnx_ops import OnnxIsNaN, OnnxWhere
    from skl2onnx.common.data_types import DoubleTensorType

    def converter(scope: Any, operator: Any, container: Any) -> Any:
        imputer, numbers = operator.raw_operator, operator.inputs[0]
        if not isinstance(numbers.type, DoubleTensorType) or not np.isnan(imputer.missing_values):
            return convert(scope, operator, container)
        version = container.target_opset
        instead = np.asarray(imputer.statistics_, dtype=np.float64).reshape(1, -1)
        missing = OnnxIsNaN(numbers, op_version=version)
        filled = OnnxWhere(missing, instead, numbers, op_version=version, output_names=operator.outputs[:1])
        return filled.add_to(scope, container)

    return converter


class _Numbers:
    """A container of nodes that takes truth values as 0 and 1."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, *args: Any, **attributes: Any) -> Any:
        return self._container.add_node(*args, **{name: _numbers(value) for name, value in attributes.items()})


def _numbers(value: Any) -> Any:
    import numpy as np

    if isinstance(value, list):
        return [int(each) if isinstance(each, bool | np.bool_) else each for each in value]
    return value
