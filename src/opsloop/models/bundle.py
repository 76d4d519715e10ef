"""A model with everything that belongs to it, under one digest: a manifest, and the files that it names by their hash.

    model.onnx                 what serves
    baseline.npy               rows the model was trained on, at most BASELINE_ROWS; categories as numbers
    baseline_predictions.npy   what it says of them: numbers, or places in the list of classes
    labels.npy                 what was right for them
    expectations.json          rules that requests are held against
    conformal.json             how wide its intervals must be
    metrics.json, importance.json, environment.json, model.skops

In the artifact store files lie under their hash, so versions share what is the same; in a folder they have their names
and the manifest is `manifest.json`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import rfc8785

from opsloop.core.artifacts.store import ArtifactMissing, Artifacts, put_by_content, sha256_hex
from opsloop.models.candidate import Candidate
from opsloop.models.errors import ModelFileBroken
from opsloop.models.models import Parity
from opsloop.models.signature import Signature

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = 1
MANIFEST = "manifest.json"
MODEL = "model.onnx"
BASELINE = "baseline.npy"
BASELINE_PREDICTIONS = "baseline_predictions.npy"
LABELS = "labels.npy"
EXPECTATIONS = "expectations.json"
CONFORMAL = "conformal.json"
METRICS = "metrics.json"
IMPORTANCE = "importance.json"
ENVIRONMENT = "environment.json"
SKOPS = "model.skops"
BASELINE_ROWS = 10_000
_FILES, _MANIFESTS = "model-files", "model-bundles"


@dataclass(frozen=True, slots=True)
class BundleFile:
    sha256: str
    size_bytes: int

    @classmethod
    def of(cls, data: bytes) -> BundleFile:
        return cls(sha256_hex(data), len(data))


@dataclass(frozen=True, slots=True)
class Manifest:
    """Args:
    codes: by text column of the baseline, the categories that its numbers stand for.
    parity: None for a model whose conversion nobody has checked; it is not served.
    """

    signature: Signature
    framework: str
    files: Mapping[str, BundleFile]
    parity: Parity | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    format: int = FORMAT


class Bundle:
    """Args:
    read: gives the bytes of a file by name and hash.
    """

    def __init__(self, manifest: Manifest, digest: str, read: Callable[[str, BundleFile], bytes]) -> None:
        self.manifest = manifest
        self.digest = digest
        self._read = read

    @property
    def signature(self) -> Signature:
        return self.manifest.signature

    def __contains__(self, name: str) -> bool:
        return name in self.manifest.files

    def file(self, name: str) -> bytes:
        """The bytes of a file, checked against the manifest. Raises: ModelFileBroken."""
        known = self.manifest.files.get(name)
        if known is None:
            raise ModelFileBroken(file=name, reason="the bundle has no such file")
        data = self._read(name, known)
        if sha256_hex(data) != known.sha256:
            raise ModelFileBroken(file=name, reason="its bytes are not those the manifest names")
        return data

    def array(self, name: str) -> NDArray[Any] | None:
        """A file of numbers, or None where the bundle has none. Raises: ModelFileBroken."""
        return array_of(name, self.file(name)) if name in self else None

    def document(self, name: str) -> Any:
        """A file of JSON, or None where the bundle has none. Raises: ModelFileBroken."""
        if name not in self:
            return None
        try:
            return msgspec.json.decode(self.file(name))
        except msgspec.DecodeError as error:
            raise ModelFileBroken(file=name, reason=f"it is no JSON ({error})") from None

    @property
    def baseline(self) -> NDArray[np.float64] | None:
        """Reference rows, (rows, inputs)."""
        return self.array(BASELINE)


def keep(store: Artifacts, candidate: Candidate) -> tuple[str, str]:
    """Store a candidate's bundle; its digest, and the key of its manifest."""
    files = {}
    for name, data in sorted(candidate.files.items()):
        put_by_content(store, _FILES, data)
        files[name] = BundleFile.of(data)
    written = encoded(_manifest(candidate, files))
    return sha256_hex(written), put_by_content(store, _MANIFESTS, written)


def write(candidate: Candidate, folder: Path) -> str:
    """Write a candidate's bundle as a folder; its digest."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, data in sorted(candidate.files.items()):
        (folder / name).write_bytes(data)
        files[name] = BundleFile.of(data)
    written = encoded(_manifest(candidate, files))
    (folder / MANIFEST).write_bytes(written)
    return sha256_hex(written)


def of_candidate(candidate: Candidate) -> Bundle:
    """The bundle that a candidate would become, in memory."""
    files = {name: BundleFile.of(data) for name, data in sorted(candidate.files.items())}
    manifest = _manifest(candidate, files)
    return Bundle(manifest, sha256_hex(encoded(manifest)), lambda name, _known: candidate.files[name])


def of_store(store: Artifacts, digest: str) -> Bundle:
    """Raises: ArtifactMissing, ModelFileBroken."""

    def read(_name: str, known: BundleFile) -> bytes:
        return store.get(_key(_FILES, known.sha256))

    return Bundle(decoded(store.get(_key(_MANIFESTS, digest))), digest, read)


def of_folder(folder: Path) -> Bundle:
    """Raises: ArtifactMissing, ModelFileBroken."""

    def read(name: str, _known: BundleFile) -> bytes:
        return _read(folder, name)

    written = _read(folder, MANIFEST)
    return Bundle(decoded(written), sha256_hex(written), read)


def encoded(manifest: Manifest) -> bytes:
    """The manifest's bytes, the same for the same manifest (RFC 8785)."""
    return rfc8785.dumps(msgspec.to_builtins(manifest))


def decoded(data: bytes) -> Manifest:
    """Raises: ModelFileBroken."""
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ModelFileBroken(file=MANIFEST, reason=str(error)) from None
    if manifest.format != FORMAT:
        raise ModelFileBroken(file=MANIFEST, reason=f"it has format {manifest.format}; this version reads {FORMAT}")
    for name in manifest.files:
        if Path(name).name != name or name == MANIFEST:
            raise ModelFileBroken(file=MANIFEST, reason=f"{name!r} is no name of a file in the bundle")
    return manifest


def array_bytes(values: NDArray[Any]) -> bytes:
    """Numbers as a file of NumPy's format."""
    import numpy as np

    file = io.BytesIO()
    np.save(file, values, allow_pickle=False)
    return file.getvalue()


def array_of(name: str, data: bytes) -> NDArray[Any]:
    """Raises: ModelFileBroken; a file that holds Python objects is never unpickled."""
    import numpy as np

    try:
        found: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ModelFileBroken(file=name, reason=f"it is no array of numbers ({error})") from None
    return found


def _manifest(candidate: Candidate, files: Mapping[str, BundleFile]) -> Manifest:
    return Manifest(
        signature=candidate.signature,
        framework=candidate.framework,
        files=files,
        parity=candidate.parity,
        metrics=candidate.metrics,
        codes=candidate.codes,
    )


def _key(prefix: str, digest: str) -> str:
    return f"{prefix}/{digest[:2]}/{digest}"


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ArtifactMissing(key=name, where=str(folder)) from None
