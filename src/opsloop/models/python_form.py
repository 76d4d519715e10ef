"""The model for Python, as a file of skops: no code runs when it is read.

skops names parts after addresses in memory and notes the time; here they are counted and timeless, so that the same
model gives the same bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from opsloop.models.errors import ModelFileBroken, UntrustedTypes

FILE = "model.skops"
TRUSTED = frozenset(
    {
        "sklearn.tree._tree.Tree",
        "sklearn._loss._loss.CyHalfBinomialLoss",
        "sklearn._loss._loss.CyHalfMultinomialLoss",
        "sklearn._loss._loss.CyHalfPoissonLoss",
        "sklearn._loss._loss.CyHalfSquaredError",
        "sklearn._loss._loss.CyAbsoluteError",
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogLink",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.link.MultinomialLogit",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn._loss.loss.HalfMultinomialLoss",
        "sklearn._loss.loss.HalfPoissonLoss",
        "sklearn._loss.loss.HalfSquaredError",
        "sklearn._loss.loss.AbsoluteError",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.compose._column_transformer._RemainderColsList",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.isotonic.IsotonicRegression",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "numpy.dtype",
        "numpy.log",
        "numpy.exp",
        "numpy.log1p",
        "numpy.expm1",
    }
)
"""What parts of scikit-learn skops does not trust by itself; they hold numbers and run nothing of their own."""
_SCHEMA = "schema.json"
_TIMELESS = (1980, 1, 1, 0, 0, 0)


def written(estimator: Any) -> bytes:
    """The bytes of a fitted estimator."""
    import skops.io

    return _counted(skops.io.dumps(estimator))


def read(data: bytes) -> Any:
    """The estimator in a file of skops: nothing but types of the allow list is made.

    Raises: ModelFileBroken, UntrustedTypes.
    """
    import skops.io

    if data[:2] != b"PK":
        raise ModelFileBroken(file=FILE, reason=_what_else(data))
    try:
        unknown = skops.io.get_untrusted_types(data=data)
        strange = sorted(set(unknown) - TRUSTED)
        if strange:
            raise UntrustedTypes(types=", ".join(strange[:5]))
        return skops.io.loads(data, trusted=sorted(set(unknown)))
    except UntrustedTypes:
        raise
    except Exception as error:  # noqa: BLE001 (of a damaged file it raises many things)
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise ModelFileBroken(file=FILE, reason=f"skops does not read it: {reason}") from None


def _what_else(data: bytes) -> str:
    if data[:1] == b"\x80" or data[:2] in (b"(l", b"cp", b"co"):
        return "it is a pickle, which runs code when it is read, and is never loaded; save it with skops.io.dump"
    return "it is no file of skops"


def _counted(data: bytes) -> bytes:
    numbers: dict[int, int] = {}
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as found, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        schema = _renamed(json.loads(found.read(_SCHEMA)), numbers)
        made.writestr(zipfile.ZipInfo(_SCHEMA, _TIMELESS), json.dumps(schema))
        parts = {_name(name, numbers): name for name in found.namelist() if name != _SCHEMA}
        for name in sorted(parts):
            made.writestr(zipfile.ZipInfo(name, _TIMELESS), found.read(parts[name]), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _renamed(node: Any, numbers: dict[int, int]) -> Any:
    if isinstance(node, list):
        return [_renamed(each, numbers) for each in node]
    if not isinstance(node, dict):
        return node
    if (address := node.get("__id__")) is not None:
        numbers.setdefault(address, len(numbers) + 1)
    renamed = {}
    for key, value in node.items():
        if key == "__id__":
            renamed[key] = numbers[value]
        elif key == "file":
            renamed[key] = _name(value, numbers)
        else:
            renamed[key] = _renamed(value, numbers)
    return renamed


def _name(file: Any, numbers: dict[int, int]) -> Any:
    if not isinstance(file, str):
        return file
    address, dot, kind = file.partition(".")
    if not address.isdecimal():
        return file
    return f"{numbers.setdefault(int(address), len(numbers) + 1)}{dot}{kind}"
