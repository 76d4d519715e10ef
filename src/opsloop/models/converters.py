"""What skl2onnx needs told before it converts.

Its converter of histogram gradient boosting writes truth values where ONNX wants whole numbers, which protobuf refuses
from version 6 on.
"""

from __future__ import annotations

from functools import cache
from typing import Any

_ROUNDING = tuple(
    f"{name}{task}"
    for name in ("DecisionTree", "ExtraTree", "RandomForest", "ExtraTrees")
    for task in ("Classifier", "Regressor")
)
_ALIASES = ("SklearnHistGradientBoostingClassifier", "SklearnHistGradientBoostingRegressor")


@cache
def prepare() -> None:
    """Mend the converters, once in a process."""
    from skl2onnx.common._registration import get_converter

    for alias in _ALIASES:
        registered = get_converter(alias)
        registered._fct = _with_numbers(registered._fct)


def cast_before_trees(estimator: Any) -> Any:
    """A pipeline that ends in trees with the rounding that scikit-learn does in front of them: to float32."""
    import numpy as np
    from skl2onnx.sklapi import CastTransformer
    from sklearn.pipeline import Pipeline

    if not isinstance(estimator, Pipeline) or type(estimator[-1]).__name__ not in _ROUNDING:
        return estimator
    return Pipeline([*estimator.steps[:-1], ("cast", CastTransformer(dtype=np.float32)), estimator.steps[-1]])


def _with_numbers(convert: Any) -> Any:
    def converter(scope: Any, operator: Any, container: Any) -> Any:
        return convert(scope, operator, _Numbers(container))

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
