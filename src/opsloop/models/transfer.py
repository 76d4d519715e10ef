"""A bundle on its way between a folder, a store and another platform: one zip file, with the names of the folder."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

from opsloop.core.artifacts.store import sha256_hex
from opsloop.models import bundle as bundles
from opsloop.models.bundle import Bundle, BundleFile
from opsloop.models.candidate import Candidate
from opsloop.models.errors import ModelFileBroken, NoCertificate
from opsloop.models.onnx_file import MOST_BYTES

MEDIA_TYPE = "application/zip"
_TIMELESS = (1980, 1, 1, 0, 0, 0)


def packed(bundle: Bundle) -> bytes:
    """The zip file of a bundle, the same for the same bundle. Raises: ModelFileBroken, ArtifactMissing."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, data in files_of(bundle).items():
            made.writestr(zipfile.ZipInfo(name, _TIMELESS), data, zipfile.ZIP_DEFLATED, compresslevel=1)
    return file.getvalue()


def packed_candidate(candidate: Candidate) -> bytes:
    """The same of a model that is not registered yet."""
    return packed(bundles.of_candidate(candidate))


def written(bundle: Bundle, folder: Path) -> list[str]:
    """Write a bundle as a folder; the names of its files. Raises: ModelFileBroken, ArtifactMissing."""
    found = files_of(bundle)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in found.items():
        (folder / name).write_bytes(data)
    return sorted(found)


def unpacked(path: Path) -> Bundle:
    """The bundle in a zip file from elsewhere; nothing is written to the disk.

    Raises: ModelFileBroken.
    """
    try:
        with zipfile.ZipFile(path) as file:
            content = _read(file)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError, zlib.error):
        raise ModelFileBroken(file="the bundle", reason="it is no zip file, or a damaged one") from None
    if bundles.MANIFEST not in content:
        raise ModelFileBroken(file="the bundle", reason=f"it has no {bundles.MANIFEST}")
    written = content.pop(bundles.MANIFEST)
    manifest = bundles.decoded(written)

    def read(name: str, _known: BundleFile) -> bytes:
        if name not in content:
            raise ModelFileBroken(file=name, reason="the manifest names it and it is not there")
        return content[name]

    return Bundle(manifest, sha256_hex(written), read)


def files_of(bundle: Bundle) -> dict[str, bytes]:
    """Every file of a bundle and its manifest, by name, each checked against the manifest."""
    names = sorted(bundle.manifest.files)
    return {bundles.MANIFEST: bundles.encoded(bundle.manifest), **{name: bundle.file(name) for name in names}}


def candidate_in(bundle: Bundle) -> Candidate:
    """What would be registered again of a bundle. Raises: ModelFileBroken, NoCertificate."""
    manifest = bundle.manifest
    if manifest.parity is None:
        raise NoCertificate(model=bundle.digest[:12])
    return Candidate(
        signature=manifest.signature,
        files={name: bundle.file(name) for name in manifest.files},
        parity=manifest.parity,
        framework=manifest.framework,
        metrics=manifest.metrics,
        codes=manifest.codes,
    )


def _read(file: zipfile.ZipFile) -> dict[str, bytes]:
    size = sum(each.file_size for each in file.infolist())
    if size > 2 * MOST_BYTES:
        reason = f"it unpacks to {size:,} bytes; wanted at most {2 * MOST_BYTES:,}"
        raise ModelFileBroken(file="the bundle", reason=reason)
    # A read of a member ends at the size that the directory says, which was counted above.
    return {each.filename: file.read(each) for each in file.infolist()}
