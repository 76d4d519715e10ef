"""JSON: each value on a line behind the path that leads to it, each object of a list a paragraph."""

from __future__ import annotations

import json
from collections.abc import Iterator

from opsloop.rag.parsing._decode import decoded
from opsloop.rag.parsing._writing import Writing
from opsloop.rag.parsing.trouble import CannotRead

_DEEPEST = 100
_TOO_DEEP = f"it is nested more than {_DEEPEST} deep; make it flatter"


def text_of(data: bytes) -> str:
    writing = Writing()
    found = loaded(decoded(data), "it is no JSON from line {line}, column {column} on; mend it there and try again")
    for record in found if isinstance(found, list) else [found]:
        write(writing, record)
    return writing.text()


def loaded(text: str, reason: str) -> object:
    """A JSON value; `reason` is told when it is none, with `{line}` and `{column}` of the fault."""
    try:
        # Numbers stay as they are written; Python refuses to make an int of thousands of digits.
        found: object = json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise CannotRead(reason.format(line=error.lineno, column=error.colno)) from None
    except RecursionError:
        raise CannotRead(_TOO_DEEP) from None
    return found


def write(writing: Writing, record: object) -> None:
    """A paragraph with a line for each value."""
    for path, value in _leaves(record, "", 0):
        writing.item(f"{path}: {value}" if path else value)
    writing.end_paragraph()


def _leaves(value: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        raise CannotRead(_TOO_DEEP)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path, depth + 1)
    elif value is not None:
        yield path, str(value).lower() if isinstance(value, bool) else str(value)
