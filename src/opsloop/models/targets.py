"""ONNX of a regression whose target is learned as a logarithm, which skl2onnx does not know."""

from __future__ import annotations

from typing import Any

import numpy as np


def register() -> None:
    """Let skl2onnx convert scikit-learn's TransformedTargetRegressor with log and exp, or log1p and expm1."""
    from skl2onnx import update_registered_converter
    from sklearn.compose import TransformedTargetRegressor

    alias = "SklearnTransformedTargetRegressor"
    update_registered_converter(TransformedTargetRegressor, alias, _shape, _converted, overwrite=True)


def _shape(operator: Any) -> None:
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    is_double = isinstance(operator.inputs[0].type, DoubleTensorType)
    operator.outputs[0].type = (DoubleTensorType if is_double else FloatTensorType)([None, 1])


def _converted(scope: Any, operator: Any, container: Any) -> None:
    from skl2onnx.algebra.onnx_operator import OnnxSubEstimator
    from skl2onnx.algebra.onnx_ops import OnnxCast, OnnxExp, OnnxSub
    from skl2onnx.common.data_types import guess_numpy_type, guess_proto_type

    regressor, output = operator.raw_operator, operator.outputs[0]
    if regressor.func not in (np.log, np.log1p) or regressor.inverse_func not in (np.exp, np.expm1):
        raise NotImplementedError("a target transformed by other than log and exp, or log1p and expm1")
    version = container.target_opset
    learned = OnnxSubEstimator(regressor.regressor_, operator.inputs[0], op_version=version)
    # Trees give float32 whatever they are given.
    said = OnnxCast(learned, to=guess_proto_type(output.type), op_version=version)
    if regressor.inverse_func is np.exp:
        OnnxExp(said, op_version=version, output_names=[output]).add_to(scope, container)
        return
    one = np.array([1], dtype=guess_numpy_type(output.type))
    found = OnnxSub(OnnxExp(said, op_version=version), one, op_version=version, output_names=[output])
    found.add_to(scope, container)
