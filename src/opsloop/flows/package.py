"""A flow's folder, frozen: an archive named by what is in it, the same wherever and whenever it is made."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from opsloop.core.artifacts.memory import MemoryArtifacts
from opsloop.core.artifacts.store import Artifacts
from opsloop.flows.errors import FlowInvalid, FlowTooLarge, PackageDamaged
from opsloop.flows.formats import flow_file

SIZE_LIMIT_BYTES = 100_000_000
FILES_LIMIT = 5_000
NAME_LIMIT_BYTES = 255  # what file systems take
IGNORED = frozenset(
    {".git", "__pycache__", ".opsloop", ".venv", ".promptflow", ".mypy_cache", ".ruff_cache", ".DS_Store"}
)
PREFIX = "flows"
PROJECT_SIGNS = (".git", "opsloop.yaml")


@dataclass(frozen=True, slots=True)
class FlowPackage:
    """A frozen flow. `digest` names its content, `key` where the artifact store has it."""

    digest: str
    key: str
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class FlowFile:
    """A file of a flow: its path in the flow, with slashes, and where its bytes are."""

    path: str
    place: Path


def files_of(folder: Path, includes: tuple[str, ...] = ()) -> list[FlowFile]:
    """The files a flow consists of, sorted by path; those of `additional_includes` lie at its root.

    Links inside the project are followed: below the folder that holds its `.git` or `opsloop.yaml`, or the flow's own
    where there is none. Raises: FlowInvalid when a link leads out of it, or an include is not there.
    """
    root = folder.resolve()
    found = {file.path: file for file in _walk(_project(root), root, PurePosixPath())}
    for include in includes:
        place = (root / include).resolve()
        if not place.exists() and Path(include).name in {file.path.partition("/")[0] for file in found.values()}:
            continue  # brought in when the flow was frozen
        if not place.exists():
            raise FlowInvalid(file="flow.dag.yaml", field="additional_includes", value=include, wanted="what is there")
        inside = [FlowFile(place.name, place)] if place.is_file() else _walk(place, place, PurePosixPath(place.name))
        for file in inside:
            found.setdefault(file.path, file)
    return [found[path] for path in sorted(found)]


def digest_of(folder: Path, includes: tuple[str, ...] = (), file: str | None = None) -> str:
    """Names the content of a flow: SHA-256 over the sorted paths and the hashes of their bytes.

    Of a folder that is too large to be a package, a project that holds data say, it is over sizes and times of change.
    """
    files = files_of(folder, includes)
    stats = [(each.path, each.place.stat()) for each in files]
    if len(files) > FILES_LIMIT or sum(stat.st_size for _, stat in stats) > SIZE_LIMIT_BYTES:
        lines = [f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}" for path, stat in stats]
        return hashlib.sha256("\n".join([file or "", *lines]).encode("utf-8", "surrogatepass")).hexdigest()
    return _digest(_packed(folder, files, file))


def freeze(folder: Path, artifacts: Artifacts, includes: tuple[str, ...] = (), file: str | None = None) -> FlowPackage:
    """Put a flow's folder into the artifact store; the same content is stored once.

    Args:
        file: the flow's file, where it is one of several in the folder.
    Raises: FlowTooLarge, FlowInvalid.
    """
    files = files_of(folder, includes)
    size = sum(file.place.stat().st_size for file in files)
    if size > SIZE_LIMIT_BYTES:
        raise FlowTooLarge(folder=str(folder), what=f"{size} bytes", limit=f"{SIZE_LIMIT_BYTES} bytes")
    if len(files) > FILES_LIMIT:
        raise FlowTooLarge(folder=str(folder), what=f"{len(files)} files", limit=f"{FILES_LIMIT} files")
    content = _packed(folder, files, file)
    digest = _digest(content)
    key = key_of(digest)
    if not artifacts.exists(key):
        artifacts.put(key, _archive(content))
    return FlowPackage(digest=digest, key=key, files=len(files), size_bytes=size)


def archive_of(folder: Path, includes: tuple[str, ...] = (), file: str | None = None) -> bytes:
    """A flow's folder as the archive that another installation takes. Raises: FlowTooLarge, FlowInvalid."""
    store = MemoryArtifacts()
    return store.get(freeze(folder, store, includes, file).key)


def _packed(folder: Path, files: list[FlowFile], file: str | None) -> list[tuple[str, bytes]]:
    """The content of a package: the files, and which of them is the flow where the folder alone does not say."""
    content = [(each.path, each.place.read_bytes()) for each in files if each.path != flow_file.POINTER]
    if file is None or flow_file.is_alone(folder, file):
        return content
    return sorted([*content, (flow_file.POINTER, file.encode())])


def digest_in(archive: bytes) -> str:
    """The digest of the flow in an archive that came from elsewhere. Raises: PackageDamaged."""
    return _digest(sorted(_content(archive)))


def key_of(digest: str) -> str:
    return f"{PREFIX}/{digest[:2]}/{digest}.tar"


def materialise(digest: str, artifacts: Artifacts, cache: Path) -> Path:
    """The frozen flow as a folder below `cache`, made once.

    Raises: ArtifactMissing; PackageDamaged when the content is not what its digest says.
    """
    target = cache / digest
    if target.is_dir():
        return target
    content = _content(artifacts.get(key_of(digest)))
    if _digest(sorted(content)) != digest:
        raise PackageDamaged(digest=digest, reason="its content is not what its digest says")
    cache.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=cache))
    try:
        write_files(part, content)
        try:
            part.rename(target)
        except OSError:
            if not target.is_dir():  # else another process was first, with the same content
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def write_files(folder: Path, content: list[tuple[str, bytes]]) -> None:
    for path, data in content:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def _project(folder: Path) -> Path:
    """The folder that nothing a flow consists of lies outside of."""
    around = (each for each in (folder, *folder.parents) if any((each / sign).exists() for sign in PROJECT_SIGNS))
    return next(around, folder)


def _walk(root: Path, folder: Path, inside: PurePosixPath) -> Iterator[FlowFile]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name in IGNORED or entry.name.endswith(".pyc"):
            continue
        place = Path(entry.path)
        real = place.resolve()
        if entry.is_symlink() and not real.is_relative_to(root):
            wanted = "a link that stays inside the project; copy the file, or list it in additional_includes"
            raise FlowInvalid(
                file=str(inside / entry.name), field="the link", value=str(place.readlink()), wanted=wanted
            )
        if real.is_dir():
            if entry.is_symlink() and folder.resolve().is_relative_to(real):
                wanted = "a link that does not lead back to a folder around it"
                raise FlowInvalid(
                    file=str(inside / entry.name), field="the link", value=str(place.readlink()), wanted=wanted
                )
            yield from _walk(root, place, inside / entry.name)
        elif real.is_file():
            yield FlowFile(str(inside / entry.name), real)


def _digest(content: list[tuple[str, bytes]]) -> str:
    whole = hashlib.sha256()
    for path, data in content:
        name = path.encode()
        whole.update(len(name).to_bytes(8, "big") + name + hashlib.sha256(data).digest())
    return whole.hexdigest()


def _archive(content: list[tuple[str, bytes]]) -> bytes:
    """A tar without times, owners and modes, so that equal content gives equal bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in content:
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _content(archive_bytes: bytes) -> list[tuple[str, bytes]]:
    """What an archive holds, once it is known to stay inside its folder and to be no larger than it looks."""
    digest = hashlib.sha256(archive_bytes).hexdigest()
    content: list[tuple[str, bytes]] = []
    try:
        with tarfile.open(fileobj=io.BytesIO(archive_bytes), mode="r:") as archive:
            for entry in archive:
                if not _is_plain(entry):
                    raise PackageDamaged(digest=digest, reason=f"{entry.name!r} is no file inside the flow")
                if len(content) == FILES_LIMIT:
                    raise PackageDamaged(digest=digest, reason=f"it holds more than {FILES_LIMIT} files")
                file = archive.extractfile(entry)
                assert file is not None
                content.append((entry.name, file.read()))
    except tarfile.TarError as error:
        raise PackageDamaged(digest=digest, reason=str(error)) from error
    if (name := _in_the_way([name for name, _ in content])) is not None:
        raise PackageDamaged(digest=digest, reason=f"{name!r} is there twice, or is a file and a folder")
    return content


def _is_plain(entry: tarfile.TarInfo) -> bool:
    """A file with a name that can be made below a folder, and no sparse one: those unpack to any size."""
    path = PurePosixPath(entry.name)
    if not entry.isfile() or entry.issparse() or path.is_absolute() or ".." in path.parts or not path.parts:
        return False
    try:
        return "\0" not in entry.name and all(len(part.encode()) <= NAME_LIMIT_BYTES for part in path.parts)
    except UnicodeEncodeError:
        return False


def _in_the_way(names: list[str]) -> str | None:
    """A name that another file has, or that another file needs as its folder."""
    taken: set[PurePosixPath] = set()
    folders = {parent for name in names for parent in PurePosixPath(name).parents}
    for name in names:
        path = PurePosixPath(name)
        if path in taken or path in folders:
            return name
        taken.add(path)
    return None
