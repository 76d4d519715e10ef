"""From a fitted scikit-learn estimator to a candidate: ONNX, its certificate, the reference rows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from opsloop.models import bundle as bundles
from opsloop.models import certificate, converters, python_form
from opsloop.models.candidate import Candidate
from opsloop.models.errors import ModelFileBroken, ParityMissed
from opsloop.models.models import Parity
from opsloop.models.runtime import LoadedModel
from opsloop.models.signature import FieldType, Signature, Task

# Figures of NumPy as JSON's numbers.
_ENCODE = msgspec.json.Encoder(order="sorted", enc_hook=lambda value: value.tolist()).encode
PRECISIONS = ("float32", "float64")
"""Tried in this order: float32 is faster, float64 takes the same branches as what was trained."""


def candidate_of(
    estimator: Any,
    X: NDArray[Any],
    y: NDArray[Any],
    signature: Signature,
    *,
    metrics: Mapping[str, float],
    importance: Mapping[str, Any] | None = None,
    conformal: Mapping[str, Any] | None = None,
    expectations: Any = None,
    environment: Mapping[str, Any] | None = None,
    said: NDArray[Any] | None = None,
    compared: NDArray[Any] | None = None,
    with_skops: bool = True,
    seed: int = 0,
) -> Candidate:
    """Args:
    X: the rows of training, (rows, inputs).
    y: what was right for them, (rows,).
    said: what models that had not learned from a row said of it, to be its baseline prediction; None: what this one
        says. A model says of rows that it learned from what it will not say of others: too sure, and too near y.
    compared: rows that the two forms are compared on; None: X.
    Raises: ParityMissed, ModelFileBroken when it cannot be converted.
    """
    import sklearn

    model, parity = converted(estimator, X if compared is None else compared, signature, seed=seed)
    if said is None:
        sample = _sample(len(X), seed)
        said = np.empty(len(X), dtype=object)
        said[sample] = _loaded(model, parity, signature).predict(X[sample]).values
    reference = reference_files(X, y, signature, said=said, seed=seed)
    files = {bundles.MODEL: model, **reference.files, bundles.METRICS: encoded(metrics)}
    for name, document in (
        (bundles.IMPORTANCE, importance),
        (bundles.CONFORMAL, conformal),
        (bundles.EXPECTATIONS, expectations),
        (bundles.ENVIRONMENT, environment),
    ):
        if document is not None:
            files[name] = encoded(document)
    if with_skops:
        files[bundles.SKOPS] = python_form.written(estimator)
    return Candidate(signature, files, parity, f"scikit-learn {sklearn.__version__}", dict(metrics), reference.codes)


@dataclass(frozen=True, slots=True)
class Reference:
    """The files of the reference rows, and what the numbers of text columns stand for."""

    files: dict[str, bytes]
    codes: dict[str, tuple[str, ...]]


def reference_files(
    X: NDArray[Any], y: NDArray[Any], signature: Signature, *, said: Sequence[Any] | NDArray[Any], seed: int
) -> Reference:
    """Args:
    said: what the model says of each row of X.
    """
    sample = _sample(len(X), seed)
    rows, codes = as_numbers(X[sample], signature)
    files = {
        bundles.BASELINE: bundles.array_bytes(rows),
        bundles.LABELS: bundles.array_bytes(_targets(y[sample], signature)),
        bundles.BASELINE_PREDICTIONS: bundles.array_bytes(_targets(np.array(said, dtype=object)[sample], signature)),
    }
    return Reference(files, codes)


def encoded(document: Any) -> bytes:
    """A document as the bytes of a bundle's file, the same for the same document."""
    return _ENCODE(document)


def converted(estimator: Any, X: NDArray[Any], signature: Signature, *, seed: int = 0) -> tuple[bytes, Parity]:
    """The ONNX form and its certificate. Raises: ParityMissed, ModelFileBroken."""
    name = type(estimator[-1] if hasattr(estimator, "steps") else estimator).__name__
    rows = certificate.rows_to_compare(estimator, X, seed=seed)
    missed: Exception | None = None
    for precision in PRECISIONS:
        try:
            model = to_onnx(estimator, signature, precision)
            served = _loaded(model, Parity(0, 0.0, 0, precision, 0.0), signature).predict(rows)
            return model, certificate.compared(estimator, rows, served, signature, precision=precision, model=name)
        except (ParityMissed, ModelFileBroken) as error:  # some operators know float32 only
            missed = missed if isinstance(missed, ParityMissed) else error
    assert missed is not None
    raise missed


def to_onnx(estimator: Any, signature: Signature, precision: str) -> bytes:
    """Raises: ModelFileBroken."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

    converters.prepare()
    number = FloatTensorType if precision == "float32" else DoubleTensorType
    if signature.is_numeric:
        inputs = [("X", number([None, len(signature.inputs)]))]
    else:
        inputs = [
            (f"x{at}", StringTensorType([None, 1]) if field.type is FieldType.TEXT else number([None, 1]))
            for at, field in enumerate(signature.inputs)
        ]
    is_classifier = signature.output.task is Task.CLASSIFICATION
    converted = converters.cast_before_trees(estimator) if precision == "float64" else estimator
    options = {id(converted): {"zipmap": False}} if is_classifier else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of attributes that converters still read
            found = convert_sklearn(converted, "model", initial_types=inputs, options=options, target_opset=_OPSET)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".strip().splitlines()[0][:300]
        raise ModelFileBroken(file=bundles.MODEL, reason=f"scikit-learn's model has no ONNX form ({reason})") from error
    written: bytes = found.SerializeToString(deterministic=True)
    return written


def as_numbers(X: NDArray[Any], signature: Signature) -> tuple[NDArray[np.float64], dict[str, tuple[str, ...]]]:
    """X with text as places in its sorted categories (NaN: missing), and the categories by column."""
    if X.dtype != object:
        return np.ascontiguousarray(X, dtype=np.float64), {}
    codes: dict[str, tuple[str, ...]] = {}
    columns = []
    for at, field in enumerate(signature.inputs):
        values = X[:, at]
        if field.type is FieldType.TEXT:
            known = field.categories or tuple(sorted({value for value in values if value is not None}))
            codes[field.name] = known
            places = {text: float(place) for place, text in enumerate(known)}
            columns.append(np.array([places.get(value, np.nan) for value in values]))
        else:
            columns.append(values.astype(np.float64))
    return np.column_stack(columns), codes


def _targets(y: NDArray[Any], signature: Signature) -> NDArray[np.float64]:
    """Numbers, or the places of classes."""
    if signature.output.task is Task.REGRESSION:
        return y.astype(np.float64)
    places = {str(each): float(place) for place, each in enumerate(signature.output.classes)}
    return np.array([places.get(str(each), np.nan) for each in y.tolist()])


def _sample(rows: int, seed: int) -> NDArray[np.intp]:
    """Which rows are the reference: in their order, which says how they depend on each other."""
    if rows <= bundles.BASELINE_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, bundles.BASELINE_ROWS, replace=False))


def _loaded(model: bytes, parity: Parity, signature: Signature) -> LoadedModel:
    manifest = bundles.Manifest(signature, "", {bundles.MODEL: bundles.BundleFile.of(model)}, parity)
    return LoadedModel(bundles.Bundle(manifest, "", lambda _name, _known: model))


_OPSET = {"": 18, "ai.onnx.ml": 3}
"""What ONNX Runtime from 1.14 on and every older server in use reads."""
