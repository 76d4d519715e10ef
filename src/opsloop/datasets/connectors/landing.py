"""Files as one: rows of several CSV, TSV, JSON lines or Parquet files become one file of that format."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from opsloop.datasets.connectors import arrow
from opsloop.datasets.connectors.address import Address
from opsloop.datasets.connectors.errors import AddressInvalid
from opsloop.datasets.errors import DatasetTooLarge, FileBroken

FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
PARQUET = ".parquet"
LINES = (".jsonl", ".ndjson")
FILES_LIMIT = 10_000
SIZE_LIMIT_BYTES = 20_000_000_000


def is_pattern(place: str) -> bool:
    """Whether a place is many: `*` in it, or the folder alone."""
    return "*" in place or place.endswith("/")


def matching(place: str, names: Sequence[str]) -> list[str]:
    """The names that a place means, sorted: `*` is any text without `/`, `**` any text, a folder all files below it.

    Hidden files and those of other formats are left out where a folder is named.
    """
    if place.endswith("/"):
        return sorted(name for name in names if ending(name) in FORMATS and not _is_hidden(name.removeprefix(place)))
    parts = place.split("**")
    if len(parts) > 1:
        return sorted(name for name in names if fnmatchcase(name, place.replace("**/", "*").replace("**", "*")))
    depth = place.count("/")
    return sorted(name for name in names if name.count("/") == depth and fnmatchcase(name, place))


def ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def state_of(entries: Sequence[tuple[str, str, int]]) -> str:
    """What pins files: a hash over their names, tags and sizes."""
    digest = hashlib.sha256()
    for name, tag, size in entries:
        digest.update(f"{name}\0{tag}\0{size}\n".encode())
    return digest.hexdigest()[:16]


def check(address: Address, names: Sequence[str], size_bytes: int) -> str:
    """The one format of these files. Raises: AddressInvalid, DatasetTooLarge."""
    endings = sorted({ending(name) for name in names})
    if len(endings) != 1 or endings[0] not in FORMATS:
        wanted = f"files of one format ({', '.join(FORMATS)})"
        raise AddressInvalid(f"{address.bare}: holds {', '.join(endings)}; wanted {wanted}", field="address")
    if len(names) > 1 and endings[0] == ".json":
        raise AddressInvalid(f"{address.bare}: holds several .json; wanted .jsonl, or one file", field="address")
    if (address.columns or address.filter) and endings[0] != PARQUET:
        wanted = "columns and filter on Parquet; other files are cleaned by a preparation"
        raise AddressInvalid(f"{address.bare}: holds {endings[0]}; wanted {wanted}", field="address")
    if len(names) > FILES_LIMIT:
        raise DatasetTooLarge(file=address.bare, what=f"{len(names):,} files", limit=f"{FILES_LIMIT:,} files")
    if size_bytes > SIZE_LIMIT_BYTES:
        raise DatasetTooLarge(file=address.bare, what=f"{size_bytes:,} bytes", limit=f"{SIZE_LIMIT_BYTES:,} bytes")
    return endings[0]


def joined(address: Address, files: Sequence[Path], folder: Path) -> Path:
    """One file with the rows of all, in their order. Raises: FileBroken naming the file whose header differs."""
    kind = ending(files[0].name)
    if kind == PARQUET:  # also of one: types become ours in one way
        target = folder / f"joined{PARQUET}"
        arrow.combine(files, address, target)
        return target
    if len(files) == 1:
        return files[0]
    target = folder / f"joined{kind}"
    with target.open("wb") as out:
        header = None
        for file in files:
            with file.open("rb") as part:
                if kind not in LINES:
                    first = part.readline().removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n")
                    if header is not None and first != header:
                        wanted = f"the header of {files[0].name} ({header.decode(errors='replace')[:200]})"
                        raise FileBroken(file.name, "line 1", wanted)
                    if header is None:
                        header = first
                        out.write(header + b"\n")
                shutil.copyfileobj(part, out)
            if out.tell():
                out.write(b"\n")  # a last line without its end; empty lines are left out
    return target


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in name.split("/"))
