"""A rendered chat prompt, split into messages at its role markers.

A line such as `system:` or `# user:` begins a message. Text that came from a value never begins one: when it was put
into the template it was marked (see `nodes/templates.py`), and a marked line is no role marker.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

ROLES = ("system", "user", "assistant", "function", "tool", "developer")

# Put around a value and before role markers in it; random, so that no value can hold it, and taken out at the end.
MARK = f"\ue000{secrets.token_hex(8)}\ue001"

_MARKER = re.compile(rf"^[ \t]*#?[ \t]*({'|'.join(ROLES)})[ \t]*:[ \t\r]*$", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(r"\A\s*##\s*name\s*:\s*\n\s*(?P<name>[^\n]+)\n\s*##\s*content\s*:\s*\n?", re.IGNORECASE)


class PromptText(str):
    """A rendered prompt that remembers, in `marked`, which of its text came from values."""

    marked: str

    @classmethod
    def from_marked(cls, marked: str) -> PromptText:
        text = cls(unmarked(marked))
        text.marked = marked
        return text


def marked(value: object) -> str:
    """A value's text, none of which begins a message; a lone role stays, for templates that write `{{role}}:`."""
    if isinstance(value, PromptText):
        return value.marked
    text = str(value)
    if not text or text.strip().lower() in ROLES:
        return text
    # The ends meet what the template or another value puts beside them; a line in between stands as it is.
    return MARK + _MARKER.sub(lambda line: MARK + line[0], text) + MARK


def unmarked(text: str) -> str:
    return text.replace(MARK, "")


def messages(prompt: str) -> list[dict[str, Any]]:
    """The messages of a rendered prompt; text without any role marker is one message of the user.

    Raises: ValueError when text stands before the first marker.
    """
    found = list(_MARKER.finditer(prompt))
    if not found:
        return [{"role": "user", "content": unmarked(prompt)}]
    if before := unmarked(prompt[: found[0].start()]).strip():
        raise ValueError(f"text stands before the first role marker: {before[:60]!r}")
    ends = [*(match.start() for match in found[1:]), len(prompt)]
    return [_message(match[1].lower(), prompt[match.end() : end]) for match, end in zip(found, ends, strict=True)]


def _message(role: str, body: str) -> dict[str, Any]:
    body = body.removeprefix("\n").removesuffix("\n")
    name = _NAME.match(body)
    if name is None:
        return {"role": role, "content": unmarked(body)}
    return {"role": role, "name": unmarked(name["name"]).strip(), "content": unmarked(body[name.end() :])}
