"""Files in the project's folder: one, or many by a pattern or their folder."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from opsloop.datasets.connectors import landing, parquet_file
from opsloop.datasets.connectors.address import Address, PlaceKind
from opsloop.datasets.connectors.errors import NotOurs, SourceChanged, SourceMissing, SourceUnusable
from opsloop.datasets.connectors.port import Landed, Publication, Published
from opsloop.datasets.connectors.reach import Reach
from opsloop.datasets.connectors.registry import register


class Files:
    def pin(self, address: Address, reach: Reach) -> Address:
        return address.pinned("state", _state(_found(address, reach)))

    def land(self, pinned: Address, reach: Reach, folder: Path) -> Landed:
        files = _found(pinned, reach)
        landing.check(pinned, [file.name for file in files], sum(file.stat().st_size for file in files))
        copies = _copied(files, folder)  # what is registered is what was pinned, whoever writes meanwhile
        if "state" in pinned.options and _state(copies) != pinned.options["state"]:
            raise SourceChanged(where=pinned.bare)
        return Landed(landing.joined(pinned, copies, folder), pinned)

    def publish(self, address: Address, reach: Reach, publication: Publication) -> Published:
        parquet_file.check_target(address)
        target = reach.path(address.place)
        if target.exists():
            marks = parquet_file.marks_of_file(target)
            if marks.get("opsloop.digest") == publication.digest:
                return Published(address, is_new=False)
            if "opsloop.dataset" not in marks and not publication.replace:
                raise NotOurs(where=address.bare)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".opsloop-") as folder:
                part = Path(folder) / "rows.parquet"
                parquet_file.write(publication, part)
                part.replace(target)
        except OSError as error:
            raise SourceUnusable(where=address.bare, reason=error.strerror) from error
        return Published(address, is_new=True)


def _found(address: Address, reach: Reach) -> list[Path]:
    """The files of an address, sorted by their paths. Raises: SourceMissing, AddressInvalid."""
    place = address.place
    if not landing.is_pattern(place):
        file = reach.path(place)
        if file.is_file():
            return [file]
        todo = f"name files in it, such as {place}/*.jsonl" if file.is_dir() else "look at the path"
        raise SourceMissing(where=place, what="a file", todo=todo)
    root = reach.path(place[: place.index("*")].rpartition("/")[0] or "." if "*" in place else place)
    below = [file for file in root.rglob("*") if file.is_file()] if root.is_dir() else []
    prefix = place[: place.index("*")].rpartition("/")[0] if "*" in place else place.rstrip("/")
    named = {f"{prefix}/{file.relative_to(root).as_posix()}" if prefix else file.relative_to(root).as_posix(): file
             for file in below}  # fmt: skip
    names = landing.matching(place, list(named))
    if not names:
        raise SourceMissing(where=place, what="a file that matches", todo="look at the pattern")
    for name in names:
        reach.path(name)  # a link may lead elsewhere
    return [named[name] for name in names]


def _state(files: list[Path]) -> str:
    """By content: a file that was saved again with the same bytes is the same."""
    return landing.state_of([(file.name, _hash(file), file.stat().st_size) for file in files])


def _hash(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _copied(files: list[Path], folder: Path) -> list[Path]:
    copies = []
    for number, file in enumerate(files):
        place = folder / "parts" / str(number)
        place.mkdir(parents=True)
        copies.append(Path(shutil.copyfile(file, place / file.name)))
    return copies


register(PlaceKind.FILES, Files())
