"""What several verbs of a flow are given, and how it is read: the folder, variants, pairs, a JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click


def folder(function: Any) -> Any:
    return click.argument("path", metavar="DIR", type=click.Path(exists=True, path_type=Path))(function)


def variants_option(function: Any) -> Any:
    return click.option(
        "--variant", "variants", multiple=True, metavar="NODE=ID", help="Variant of a node to use; may be repeated."
    )(function)


def pairs(given: Sequence[str], option: str) -> dict[str, str]:
    from opsloop.core.errors import InvalidInput

    found = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(field=option, value=pair, wanted="NAME=VALUE")
        found[name] = value
    return found


def json_object(file: Path) -> dict[str, Any]:
    from opsloop.core.errors import InvalidInput

    try:
        found = json.loads(file.read_bytes())
    except ValueError as error:
        raise InvalidInput(f"{file} is not valid JSON: {error}", field="--inputs") from None
    if not isinstance(found, dict):
        raise InvalidInput(field="--inputs", value=found, wanted="a JSON object of inputs")
    return found
