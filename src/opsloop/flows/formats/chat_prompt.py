"""A rendered chat prompt, split into messages at its role markers.

A line such as `system:` or `# user:` begins a message. Text that came from a value never begins one: when it was put
into the template it was marked (see `templates.py`), and a marked line is no role marker. An image in a message makes
its content a list of parts; a value's text that looks like an image's name makes none.
"""

from __future__ import annotations

import ast
import json
import re
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from opsloop.flows.images import data_url, images_in, is_image

ROLES = ("system", "user", "assistant", "function", "tool", "developer")

# Put around a value and before role markers in it; random, so that no value can hold it, and taken out at the end.
MARK = f"\ue000{secrets.token_hex(8)}\ue001"
# Put around the name of an image.
IMAGE = f"\ue002{secrets.token_hex(8)}\ue003"

# Possessive: what a value holds must not be tried in all its divisions, for that takes time with the square of it.
_MARKER = re.compile(rf"^[ \t]*+(?:#[ \t]*+)?({'|'.join(ROLES)})[ \t]*+:[ \t\r]*+$", re.IGNORECASE | re.MULTILINE)
_IMAGE = re.compile(rf"(?:!\[\s*image\s*\]\(\s*)?{IMAGE}(?P<name>[^\ue002]*){IMAGE}(?:\s*\))?")
_HASH, _END = r"\A\s*+(?:##?\s*+)?", r"\s*+:[ \t\r]*+\n"
_CONTENT = r"\n\s*+(?:##?\s*+)?content\s*+:[ \t\r]*+\n?"
_NAME = re.compile(rf"{_HASH}name{_END}\s*+(?P<name>[^\n]++){_CONTENT}", re.IGNORECASE)
_CALL_ID = re.compile(rf"{_HASH}tool_call_id{_END}\s*+(?P<id>[^\n]++){_CONTENT}", re.IGNORECASE)
_CALLS = re.compile(rf"{_HASH}tool_calls{_END}", re.IGNORECASE)


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
    if is_image(value):
        return f"{IMAGE}{value}{IMAGE}"
    if isinstance(value, list) and any(is_image(each) for each in value):
        # A chat's question can be a list of texts and images: each on a line of its own.
        return "\n".join(marked(each) for each in value)
    text = str(value)
    if not text or text.strip().lower() in ROLES:
        return text
    # The ends meet what the template or another value puts beside them; a line in between stands as it is.
    return MARK + _MARKER.sub(lambda line: MARK + line[0], text) + MARK


def unmarked(text: str) -> str:
    return text.replace(MARK, "").replace(IMAGE, "")


def messages(prompt: str, images: Iterable[Any] = (), *, detail: str | None = None) -> list[dict[str, Any]]:
    """The messages of a rendered prompt; text without any role marker is one message of the user.

    Args:
        images: values in which the images are that the prompt names.
        detail: how closely the model is to look at images: low, high, auto.
    Raises: ValueError when text stands before the first marker.
    """
    known = {str(image): image for value in images for image in images_in(value)} if IMAGE in prompt else {}

    def content(text: str) -> str | list[dict[str, Any]]:
        return _parts(text, known, detail) if known and IMAGE in text else unmarked(text).strip()

    found = list(_MARKER.finditer(prompt))
    if not found:
        return [{"role": "user", "content": content(prompt)}]
    if before := unmarked(prompt[: found[0].start()]).strip():
        raise ValueError(f"text stands before the first role marker: {before[:60]!r}")
    ends = [*(match.start() for match in found[1:]), len(prompt)]
    bodies = [prompt[match.end() : end] for match, end in zip(found, ends, strict=True)]
    return [_message(match[1].lower(), body, content) for match, body in zip(found, bodies, strict=True)]


def _message(role: str, body: str, content: Callable[[str], Any]) -> dict[str, Any]:
    """White space around a message's content is no part of it, as in Prompt flow."""
    if role == "tool" and (found := _CALL_ID.match(body)) is not None:
        return {"role": role, "tool_call_id": unmarked(found["id"]).strip(), "content": content(body[found.end() :])}
    if role == "assistant" and (found := _CALLS.match(body)) is not None:
        calls = _literal(unmarked(body[found.end() :]).strip())
        if isinstance(calls, list):
            return {"role": role, "content": None, "tool_calls": calls}
    if (found := _NAME.match(body)) is not None:
        return {"role": role, "name": unmarked(found["name"]).strip(), "content": content(body[found.end() :])}
    return {"role": role, "content": content(body)}


def _literal(text: str) -> Any:
    """A list as a template writes it: Python's own form, or JSON. None when it is neither; nothing is evaluated."""
    for read in (ast.literal_eval, json.loads):
        try:
            return read(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return None


def _parts(text: str, known: dict[str, Any], detail: str | None) -> list[dict[str, Any]]:
    """Text and images in their order; a name that no image has stays text."""
    parts: list[dict[str, Any]] = []
    at = 0
    for found in _IMAGE.finditer(text):
        if (image := known.get(found["name"])) is None:
            continue
        _add_text(parts, text[at : found.start()])
        url = {"url": data_url(image)} if detail is None else {"url": data_url(image), "detail": detail}
        parts.append({"type": "image_url", "image_url": url})
        at = found.end()
    _add_text(parts, text[at:])
    return parts


def _add_text(parts: list[dict[str, Any]], text: str) -> None:
    if plain := unmarked(text).strip():
        parts.append({"type": "text", "text": plain})
