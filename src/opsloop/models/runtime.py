"""A model in memory, run by ONNX Runtime on one thread."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from opsloop.models import bundle as bundles
from opsloop.models import onnx_file
from opsloop.models.bundle import Bundle
from opsloop.models.errors import ModelFileBroken, NoCertificate
from opsloop.models.intervals import Conformal, conformal_of
from opsloop.models.signature import Signature, Task

if TYPE_CHECKING:
    from opsloop.core.artifacts.store import Artifacts

# "[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Failed to load model because protobuf parsing failed."
_CODE = re.compile(r"^\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : ")
_NOT_WHOLE = ("protobuf parsing failed", "No graph was found")
_NUMBERS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model says of some rows.

    Args:
        values: a class or a number for each row, as JSON has them.
        scores: probabilities of the classes (rows, classes); None of a regression, and of a classifier without any.
    """

    values: list[Any]
    scores: NDArray[np.float64] | None
    conformal: Conformal | None = None

    def interval(self, alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of a regression: the lower and upper ends that hold the truth with a chance of 1 - alpha.

        Raises: NoIntervals.
        """
        return conformal_of(self.conformal).interval(np.asarray(self.values, dtype=np.float64), alpha)

    def sets(self, alpha: float) -> list[list[Any]]:
        """Of a classification: the classes that hold the truth with a chance of 1 - alpha. Raises: NoIntervals."""
        return conformal_of(self.conformal).sets(self.scores, alpha)


class LoadedModel:
    """Runs a bundle's model. Calls of several threads are safe.

    Raises: ModelFileBroken, NoCertificate.
    """

    __slots__ = ("_classes", "_conformal", "_inputs", "_outputs", "_session", "bundle", "digest", "signature")

    def __init__(self, bundle: Bundle) -> None:
        if bundle.manifest.parity is None:
            raise NoCertificate(model=bundle.digest[:12])
        self.bundle = bundle
        self.digest = bundle.digest
        self.signature: Signature = bundle.signature
        self._session = session_of(bundle.file(bundles.MODEL))
        self._inputs: tuple[tuple[str, Any], ...] = _inputs(self._session, len(self.signature.inputs))
        found = [each.name for each in self._session.get_outputs()]
        is_classifier = self.signature.output.task is Task.CLASSIFICATION
        self._outputs = found[:2] if is_classifier else found[:1]
        self._classes = self.signature.output.classes if is_classifier else ()
        self._conformal = conformal_from(bundle)

    def predict(self, X: NDArray[Any]) -> Predictions:
        """Args:
        X: (rows, inputs), float64, or object where some input is text.
        """
        found = self._session.run(self._outputs, self._fed(X))
        if not self._classes:
            return Predictions(found[0].reshape(-1).astype(np.float64, copy=False).tolist(), None, self._conformal)
        scores = found[1] if len(found) > 1 else None
        return Predictions(self._labels(found[0]), scores, self._conformal)

    @property
    def inputs(self) -> tuple[tuple[str, Any], ...]:
        """Names of the graph's inputs and what each takes: a type of NumPy, or `str`."""
        return self._inputs

    @property
    def says_numbers(self) -> bool:
        """Whether the graph's first output is of fractional numbers, as a regression's is."""
        kind: str = self._session.get_outputs()[0].type
        return kind in ("tensor(float)", "tensor(double)")

    def values(self, X: NDArray[Any]) -> list[Any]:
        """What `predict` says without its scores, for less: the graph need not give them out."""
        found = self._session.run(self._outputs[:1], self._fed(X))[0]
        if not self._classes:
            return found.reshape(-1).astype(np.float64, copy=False).tolist()  # type: ignore[no-any-return]
        return self._labels(found)

    def _labels(self, found: NDArray[Any]) -> list[Any]:
        values: list[Any] = found.reshape(-1).tolist()
        if isinstance(self._classes[0], bool):  # ONNX knows no classes that are true or false
            return [bool(each) for each in values]
        return values

    def _fed(self, X: NDArray[Any]) -> dict[str, NDArray[Any]]:
        if len(self._inputs) == 1 and self.signature.is_numeric:
            name, kind = self._inputs[0]
            return {name: X.astype(kind, copy=False)}
        return {name: column(X[:, at], kind) for at, (name, kind) in enumerate(self._inputs)}


class Keeps(Protocol):
    """What has an artifact store: a workspace."""

    @property
    def artifacts(self) -> Artifacts: ...


def load(workspace: Keeps, digest: str) -> LoadedModel:
    """Raises: ArtifactMissing, ModelFileBroken, NoCertificate."""
    return LoadedModel(bundles.of_store(workspace.artifacts, digest))


def load_folder(folder: Path) -> LoadedModel:
    """Raises: ArtifactMissing, ModelFileBroken, NoCertificate."""
    return LoadedModel(bundles.of_folder(folder))


def session_of(model: bytes) -> Any:
    """ONNX Runtime's session of a model, on one thread: it is requests that run side by side.

    Raises: ModelFileBroken.
    """
    import onnxruntime

    onnx_file.check(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 (its errors have no common class)
        raise ModelFileBroken(file=bundles.MODEL, reason=_reason(error)) from None


def _reason(error: Exception) -> str:
    said = _CODE.sub("", str(error).strip().splitlines()[0])[:200].rstrip(".")
    if any(sign in said for sign in _NOT_WHOLE):
        return f"cut off, or no ONNX file; wanted one as `onnx.save` or skl2onnx writes it ({said})"
    return f"ONNX Runtime does not load it: {said}"


def column(values: NDArray[Any], kind: Any) -> NDArray[Any]:
    """One column of X as the graph takes it, (rows, 1); a text that is missing is empty."""
    if kind is str:
        texts = ["" if value is None else str(value) for value in values]
        return np.array(texts, dtype=object).reshape(-1, 1)
    return values.astype(kind).reshape(-1, 1)


def conformal_from(bundle: Bundle) -> Conformal | None:
    found = bundle.document(bundles.CONFORMAL)
    return None if found is None else Conformal.of(found, bundle.signature.output)


def _inputs(session: Any, columns: int) -> tuple[tuple[str, Any], ...]:
    found = session.get_inputs()
    if len(found) not in (1, columns):
        reason = f"it takes {len(found)} inputs, the signature has {columns} columns"
        raise ModelFileBroken(file=bundles.MODEL, reason=reason)
    inputs: Sequence[tuple[str, Any]] = [(each.name, _kind(each.type)) for each in found]
    width = found[0].shape[-1] if len(found) == 1 and len(found[0].shape) == 2 else None
    if isinstance(width, int) and width != columns:
        reason = f"it takes rows of {width} numbers, the signature has {columns} columns"
        raise ModelFileBroken(file=bundles.MODEL, reason=reason)
    return tuple(inputs)


def _kind(type: str) -> Any:
    if type == "tensor(string)":
        return str
    if type not in _NUMBERS:
        raise ModelFileBroken(file=bundles.MODEL, reason=f"it takes {type}; wanted numbers or text")
    return _NUMBERS[type]
