"""The formats of files of rows, by the ending of a name."""

from __future__ import annotations

from pathlib import Path

from opsloop.core.errors import InvalidInput
from opsloop.models.files import delimited, json_lines, parquet
from opsloop.models.files.rows import FileFormat

KNOWN = {**delimited.FORMATS, **json_lines.FORMATS, **parquet.FORMATS}


def format_of(path: Path, field: str) -> FileFormat:
    """Raises: InvalidInput naming the known endings."""
    found = KNOWN.get(path.suffix.lower())
    if found is None:
        raise InvalidInput(field=field, value=path.name, wanted=f"a name that ends in {', '.join(KNOWN)}")
    return found
