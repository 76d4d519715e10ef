"""A model that is an ONNX file and nothing else: a bundle made around it, its signature read from its graph.

Nobody can say of it that it agrees with what was trained; the file itself is taken for the model.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from opsloop.core.artifacts.store import sha256_hex
from opsloop.models import bundle as bundles
from opsloop.models.bundle import Bundle, BundleFile, Manifest
from opsloop.models.errors import FileUnusable, ModelFileBroken
from opsloop.models.models import Parity
from opsloop.models.runtime import session_of
from opsloop.models.signature import Field, FieldType, Output, Signature, Task

_HEAD = 1_000
_OF_BASELINE = (bundles.BASELINE_PREDICTIONS, bundles.LABELS)
UNCHECKED = Parity(rows=0, largest_difference=0.0, flips=0, precision="as in the file", tolerance=0.0)


def bundle_of(file: Path, *, others: Mapping[str, bytes] | None = None) -> Bundle:
    """Args: others: further files of the bundle, such as `baseline.npy`. Raises: FileUnusable."""
    try:
        model = file.read_bytes()
        signature = signature_of(session_of(model))
    except OSError as error:
        raise FileUnusable(file=file, reason=f"cannot be read ({error.strerror}); wanted an ONNX file") from None
    except ModelFileBroken as error:
        raise FileUnusable(file=file, reason=error.facts["reason"]) from None
    files = {bundles.MODEL: model, **(others or {})}
    known = {name: BundleFile.of(data) for name, data in files.items()}
    manifest = Manifest(signature, "onnx", known, parity=UNCHECKED)
    return Bundle(manifest, sha256_hex(bundles.encoded(manifest)), lambda name, _: files[name])


def with_files(bundle: Bundle, others: Mapping[str, bytes]) -> Bundle:
    """A bundle with other files in place of its own; what spoke of other reference rows is left out."""
    kept = dict(bundle.manifest.files)
    if bundles.BASELINE in others:
        for name in _OF_BASELINE:
            kept.pop(name, None)
    known = {**kept, **{name: BundleFile.of(data) for name, data in others.items()}}
    manifest = replace(bundle.manifest, files=known)

    def read(name: str, _known: BundleFile) -> bytes:
        return others[name] if name in others else bundle.file(name)

    return Bundle(manifest, sha256_hex(bundles.encoded(manifest)), read)


def rows_of(file: Path) -> bytes:
    """A file of reference rows, checked: finite numbers in rows; NaN where one is missing. Raises: FileUnusable."""
    wanted = "wanted rows of numbers, as `numpy.save` writes them"
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FileUnusable(file=file, reason=f"cannot be read ({error.strerror}); {wanted}") from None
    if not data.startswith(npy.MAGIC_PREFIX):
        raise FileUnusable(file=file, reason=f"is no .npy file; {wanted}")
    try:
        found: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError):  # cut off, or its head says something else than it holds
        held = "Python objects, which are not loaded" if _holds_objects(data) else "less than its head says"
        raise FileUnusable(file=file, reason=f"holds {held}; {wanted}") from None
    if not (np.issubdtype(found.dtype, np.integer) or np.issubdtype(found.dtype, np.floating)):
        raise FileUnusable(file=file, reason=f"holds values of {found.dtype}; {wanted}")
    if found.ndim != 2 or not len(found):
        raise FileUnusable(file=file, reason=f"has shape {found.shape}; {wanted}")
    if np.isinf(found).any():
        row, column = np.argwhere(np.isinf(found))[0]
        raise FileUnusable(file=file, reason=f"row {row}, column {column} is {found[row, column]}; {wanted}")
    return bundles.array_bytes(found.astype(np.float64))


def _holds_objects(data: bytes) -> bool:
    return b"'descr': '|O'" in data[:_HEAD]


def rules_of(file: Path) -> bytes:
    """A file of expectations, checked: JSON. Raises: FileUnusable."""
    wanted = "wanted expectations as JSON, ours or a suite of Great Expectations"
    try:
        data = file.read_bytes()
        msgspec.json.decode(data)
    except OSError as error:
        raise FileUnusable(file=file, reason=f"cannot be read ({error.strerror}); {wanted}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = str(error).removeprefix("JSON is malformed: ")
        raise FileUnusable(file=file, reason=f"is not valid JSON ({reason}); {wanted}") from None
    except RecursionError:
        raise FileUnusable(file=file, reason=f"is nested too deeply; {wanted}") from None
    return data


def signature_of(session: Any) -> Signature:
    """What the graph says: its columns, and whether it names classes. Raises: ModelFileBroken."""
    inputs = session.get_inputs()
    if len(inputs) == 1 and inputs[0].type != "tensor(string)":
        width = inputs[0].shape[-1] if len(inputs[0].shape) == 2 else None
        if not isinstance(width, int):
            raise ModelFileBroken(file=bundles.MODEL, reason="its graph does not say how many columns it takes")
        fields = tuple(Field(f"x{at}", FieldType.NUMBER) for at in range(width))
    else:
        fields = tuple(
            Field(each.name, FieldType.TEXT if each.type == "tensor(string)" else FieldType.NUMBER) for each in inputs
        )
    return Signature(fields, _output(session.get_outputs()))


def _output(outputs: Any) -> Output:
    said = outputs[0]
    if said.type not in ("tensor(int64)", "tensor(string)"):
        return Output(said.name, Task.REGRESSION)
    count = outputs[1].shape[-1] if len(outputs) > 1 and len(outputs[1].shape or []) == 2 else None
    known = count if isinstance(count, int) else 2
    if said.type == "tensor(string)":
        return Output(said.name, Task.CLASSIFICATION, tuple(str(at) for at in range(known)))
    return Output(said.name, Task.CLASSIFICATION, tuple(range(known)))
