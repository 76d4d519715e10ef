"""JSON as the standard has it: no NaN, no key twice in one object."""

from __future__ import annotations

import json
from typing import Any


class NotJson(Exception):
    """`reason` says what is wanted; `at` is the character where it broke, None when no place is known."""

    def __init__(self, reason: str, at: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at


def parse(text: str) -> Any:
    """The value of a JSON text. Raises: NotJson."""
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJson(f"valid JSON ({error.msg.lower()})", error.pos) from None
    except RecursionError:
        raise NotJson("JSON that is not nested that deep") from None
    except ValueError as error:  # whole numbers of thousands of digits
        raise NotJson(f"valid JSON ({str(error).partition(';')[0]})") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotJson(f"each key once in an object; {twice!r} is there twice")
    return found


def _no_constant(name: str) -> Any:
    raise NotJson(f"JSON numbers; {name} is none")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)
