"""The OpenAI protocol: requests of chat completions, and errors in its shape."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from opsloop.core.errors import InvalidInput, Kind, OpsloopError
from opsloop.gateway.errors import UnknownEndpoint
from opsloop.limits.errors import QuotaSpent, RateReached

# Where OpenAI's protocol has another status than our problem documents: its clients treat 400 as "do not try again".
_STATUS = {Kind.INVALID: 400}
_TYPES = {
    Kind.INVALID: "invalid_request_error",
    Kind.MISSING: "invalid_request_error",
    Kind.TOO_LARGE: "invalid_request_error",
    Kind.ANONYMOUS: "authentication_error",
    Kind.DENIED: "permission_error",
    Kind.LIMITED: "rate_limit_error",
}


# The words that clients of the protocol look for: one is waited for, the other is not.
_CODES: dict[type[OpsloopError], str] = {QuotaSpent: "insufficient_quota", RateReached: "rate_limit_exceeded"}


class TextPart(msgspec.Struct, tag="text", tag_field="type"):
    text: str


class ImagePart(msgspec.Struct, tag="image_url", tag_field="type"):
    image_url: dict[str, Any]


class AudioPart(msgspec.Struct, tag="input_audio", tag_field="type"):
    input_audio: dict[str, Any]


class FilePart(msgspec.Struct, tag="file", tag_field="type"):
    file: dict[str, Any]


class RefusalPart(msgspec.Struct, tag="refusal", tag_field="type"):
    refusal: str


Part = TextPart | ImagePart | AudioPart | FilePart | RefusalPart


class Message(msgspec.Struct):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None


class StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class ChatRequest(msgspec.Struct):
    """What of a request counts here. Options of a model (`temperature`, `max_tokens`, `tools`, …) are the flow's own
    and are left out, as are fields nobody knows."""

    model: str
    messages: list[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    user: str | None = None


def error_of(error: OpsloopError, status: int) -> tuple[int, dict[str, Any]]:
    """The status and the document of an error. Source: OpenAI API reference, "Error codes"."""
    code = _CODES.get(type(error), error.slug().replace("-", "_"))
    document = {
        "message": error.sentence,
        "type": code if isinstance(error, QuotaSpent | RateReached) else _TYPES.get(error.kind, "server_error"),
        "param": _param(error),
        "code": "model_not_found" if isinstance(error, UnknownEndpoint) else code,
    }
    return _STATUS.get(error.kind, status), {"error": document}


def _param(error: OpsloopError) -> str | None:
    if isinstance(error, UnknownEndpoint):
        return "model"
    field = error.facts.get("field") if isinstance(error, InvalidInput) else None
    return field if isinstance(field, str) and field != "body" else None
