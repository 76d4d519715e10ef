"""The model for Python, as a file of skops: no code runs when it is read.

skops names parts after addresses in memory and notes the time; here they are counted and timeless, so that the same
model gives the same bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

_SCHEMA = "schema.json"
_TIMELESS = (1980, 1, 1, 0, 0, 0)


def written(estimator: Any) -> bytes:
    """The bytes of a fitted estimator."""
    import skops.io

    return _counted(skops.io.dumps(estimator))


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
