"""The known file formats. A module of this package registers its own; adding one edits nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from pathlib import PurePosixPath

import opsloop.datasets.formats as package
from opsloop.core.errors import InvalidInput
from opsloop.datasets.records import Records

Read = Callable[[str, bytes], Records]
_FORMATS: dict[str, Read] = {}


def file_format(*endings: str) -> Callable[[Read], Read]:
    """Register what reads files whose name has one of these endings (`.csv`)."""

    def register(read: Read) -> Read:
        _FORMATS.update(dict.fromkeys(endings, read))
        return read

    return register


@cache
def known() -> dict[str, Read]:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_FORMATS.items()))


def read(filename: str, data: bytes) -> Records:
    """The rows of a file, by the ending of its name. Raises: InvalidInput, FileBroken, DatasetTooLarge."""
    name = PurePosixPath(filename.replace("\\", "/")).name
    ending = PurePosixPath(name).suffix.lower()
    if ending not in known() or not name.isprintable():
        raise InvalidInput(field="filename", value=filename, wanted=f"a name that ends in {', '.join(known())}")
    return known()[ending](name, data)
