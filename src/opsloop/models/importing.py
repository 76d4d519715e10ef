"""Models made elsewhere: a file for ONNX or of skops with some rows becomes a candidate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsloop.models import bundle as bundles
from opsloop.models import conversion, onnx_file, python_form, trying
from opsloop.models.candidate import Candidate
from opsloop.models.certificate import TOLERANCE
from opsloop.models.errors import ModelFileBroken, ParityMissed
from opsloop.models.measuring import measured
from opsloop.models.models import Parity
from opsloop.models.runtime import LoadedModel
from opsloop.models.signature import FieldType, Signature


def of_onnx(data: bytes, X: NDArray[Any], y: NDArray[Any], signature: Signature, *, seed: int = 0) -> Candidate:
    """Args:
    X: rows that the model is for, (rows, inputs), which become the reference of its drift.
    y: what is right for them.
    Raises: ModelFileBroken.
    """
    onnx_file.check(data)
    data = without_zipmap(data)
    files = {bundles.MODEL: data}
    unproven = Parity(0, 0.0, 0, "", TOLERANCE)
    bare = bundles.of_candidate(Candidate(signature, files, unproven, "ONNX"))
    model = LoadedModel(bare)
    checked_texts(signature, model)
    said = trying.tried(model, X)
    gap = trying.largest_gap_alone(model, X, said)
    if gap > TOLERANCE * max(1.0, _spread(said.values)):
        reason = f"it says something else of a row alone than among others, by up to {gap:.3g}"
        raise ParityMissed(model=bundles.MODEL, reason=reason)
    parity = Parity(len(X), gap, 0, precision_of(model), TOLERANCE)
    rest = conversion.reference_files(X, y, signature, said=said.values, seed=seed)
    metrics = measured(y, said.values, signature)
    files = {**files, **rest.files, bundles.METRICS: conversion.encoded(metrics)}
    return Candidate(signature, files, parity, "ONNX", metrics, rest.codes)


def of_skops(data: bytes, X: NDArray[Any], y: NDArray[Any], signature: Signature, *, seed: int = 0) -> Candidate:
    """The same of a scikit-learn estimator, converted here.

    Raises: ModelFileBroken, UntrustedTypes, ParityMissed.
    """
    estimator = python_form.read(data)
    if not hasattr(estimator, "predict"):
        reason = f"it holds a {type(estimator).__name__}, which predicts nothing"
        raise ModelFileBroken(file=bundles.SKOPS, reason=reason)
    try:
        said = np.asarray(estimator.predict(X)).reshape(-1).tolist()
    except Exception as error:  # noqa: BLE001 (an estimator raises what it likes)
        reason = f"it does not take rows of {', '.join(signature.names[:5])}…: {error}".splitlines()[0][:300]
        raise ModelFileBroken(file=bundles.SKOPS, reason=reason) from None
    known = getattr(estimator, "classes_", None)
    if known is not None:
        signature = replace(signature, output=replace(signature.output, classes=tuple(np.asarray(known).tolist())))
    metrics = measured(y, said, signature)
    return conversion.candidate_of(estimator, X, y, signature, metrics=metrics, seed=seed)


def without_zipmap(data: bytes) -> bytes:
    """A classifier whose probabilities are a table: converters wrap them in a map for each row, which is slow."""
    if b"ZipMap" not in data:
        return data
    import onnx

    try:
        model = onnx.load_from_string(data)
    except Exception:  # noqa: BLE001 (protobuf's errors have no common class)
        raise ModelFileBroken(file=bundles.MODEL, reason="it is no ONNX file") from None
    graph = model.graph
    for node in [each for each in graph.node if each.op_type == "ZipMap"]:
        for output in graph.output:
            if output.name == node.output[0]:
                output.CopyFrom(onnx.helper.make_tensor_value_info(node.input[0], onnx.TensorProto.FLOAT, None))
        graph.node.remove(node)
    written: bytes = model.SerializeToString(deterministic=True)
    return written


def precision_of(model: LoadedModel) -> str:
    """Of the numbers that go in."""
    return "float64" if any(kind is np.float64 for _, kind in model.inputs) else "float32"


def checked_texts(signature: Signature, model: LoadedModel) -> None:
    """Raises: ModelFileBroken when the model takes text where the signature has numbers, or the other way round."""
    if len(model.inputs) != len(signature.inputs):
        return
    for field, (name, kind) in zip(signature.inputs, model.inputs, strict=True):
        if (kind is str) != (field.type is FieldType.TEXT):
            reason = (
                f"its input {name} takes {'text' if kind is str else 'numbers'}, {field.name} is {field.type.value}"
            )
            raise ModelFileBroken(file=bundles.MODEL, reason=reason)


def _spread(values: list[Any]) -> float:
    return float(np.std(values)) if values and isinstance(values[0], float) else 1.0
