"""`${file:PATH}` in a flow's file: what another file of the flow holds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opsloop.flows.errors import FlowInvalid
from opsloop.flows.formats.yaml_file import read_mapping

_FILE = re.compile(r"\s*\$\{file:(?P<path>[^}]+)\}\s*")


def with_files(value: Any, folder: Path, where: str) -> Any:
    """A value with `${file:PATH}` in it replaced by what the file holds; the path is relative to the flow's folder.

    Raises: FlowInvalid.
    """
    if isinstance(value, Mapping):
        return {key: with_files(part, folder, f"{where}.{key}") for key, part in value.items()}
    if isinstance(value, list):
        return [with_files(part, folder, where) for part in value]
    found = _FILE.fullmatch(value) if isinstance(value, str) else None
    return value if found is None else _content(folder, found["path"].strip(), where)


def _content(folder: Path, path: str, where: str) -> Any:
    place = folder / path
    file, _, field = where.partition(": ")
    if "\0" in path or not place.resolve().is_relative_to(folder.resolve()) or not place.is_file():
        raise FlowInvalid(file=file, field=field, value=path, wanted="a file that is there, in the flow's folder")
    if place.suffix.lower() in (".yaml", ".yml"):
        return read_mapping(place)
    try:
        text = place.read_bytes().decode("utf-8-sig")
        return json.loads(text) if place.suffix.lower() == ".json" else text
    except (ValueError, RecursionError) as error:
        raise FlowInvalid(file=file, field=field, value=path, wanted=f"a file of JSON ({error})") from None
