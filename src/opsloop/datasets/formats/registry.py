"""The known file formats. A module of this package registers its own; adding one edits nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

import opsloop.datasets.formats as package
from opsloop.core.errors import InvalidInput
from opsloop.datasets.records import Records
from opsloop.datasets.staging import Staged, Staging

Read = Callable[[str, bytes], Records]
Stage = Callable[[Staging, Path], Staged]


@dataclass(frozen=True, slots=True)
class Format:
    """How files of a format are read.

    Args:
        read: all rows in memory.
        staged: as a stream, for a snapshot; a file of any size.
    """

    read: Read
    staged: Stage


_FORMATS: dict[str, Format] = {}


def file_format(*endings: str, staged: Stage) -> Callable[[Read], Read]:
    """Register what reads files whose name has one of these endings (`.csv`)."""

    def register(read: Read) -> Read:
        _FORMATS.update(dict.fromkeys(endings, Format(read, staged)))
        return read

    return register


@cache
def known() -> dict[str, Format]:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_FORMATS.items()))


def read(filename: str, data: bytes) -> Records:
    """The rows of a file, by the ending of its name. Raises: InvalidInput, FileBroken, DatasetTooLarge."""
    name = base_name(filename)
    return of(name).read(name, data)


def staged(place: Staging, path: Path) -> Staged:
    """The rows of a file, ready to be kept; the name of `place.file` tells the format.

    Raises: InvalidInput, FileBroken, DatasetTooLarge.
    """
    return of(place.file).staged(place, path)


def of(filename: str) -> Format:
    """Raises: InvalidInput naming the known endings."""
    name = base_name(filename)
    ending = PurePosixPath(name).suffix.lower()
    if ending not in known() or not name.isprintable():
        raise InvalidInput(field="filename", value=filename, wanted=f"a name that ends in {', '.join(known())}")
    return known()[ending]


def base_name(filename: str) -> str:
    """The last part of a path of any system."""
    return PurePosixPath(filename.replace("\\", "/")).name
