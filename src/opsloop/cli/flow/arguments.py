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


def init_option(function: Any) -> Any:
    return click.option(
        "--init",
        "init",
        multiple=True,
        metavar="FILE|NAME=VALUE",
        help="What the class of a flex flow is made with: a JSON file, or a value; default: the flow's sample.",
    )(function)


def init_values(given: Sequence[str]) -> dict[str, Any] | None:
    """Values from files and pairs, later ones before earlier; None when there are none."""
    if not given:
        return None
    found: dict[str, Any] = {}
    for each in given:
        found |= pairs([each], "--init") if "=" in each else json_object(Path(each), "--init")
    return found


def pairs(given: Sequence[str], option: str) -> dict[str, str]:
    from opsloop.core.errors import InvalidInput

    found = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(field=option, value=pair, wanted="NAME=VALUE")
        found[name] = value
    return found


def json_object(file: Path, option: str = "--inputs") -> dict[str, Any]:
    """The object in a JSON file, or in the first line of one with JSON lines."""
    from opsloop.core.errors import InvalidInput

    try:
        content = file.read_bytes()
        first = content.lstrip().split(b"\n", 1)[0] if file.suffix.lower() == ".jsonl" else content
        found = json.loads(first)
    except OSError as error:
        raise InvalidInput(f"{option}: {file} cannot be read ({error.strerror})", field=option) from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{file} is not valid JSON: {error}", field=option) from None
    if not isinstance(found, dict):
        raise InvalidInput(field=option, value=found, wanted="a JSON object of names and values")
    return found
