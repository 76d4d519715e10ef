"""What all routes write: usage, logprobs, server-sent events, errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zlib import crc32

import msgspec

from opsloop.core.errors import Kind, OpsloopError
from opsloop.testing import tokens
from opsloop.testing.said import Said

# Answers hold no time and no chance, so that the same request gives the same bytes: 2027-01-01T00:00:00Z.
CREATED = 1_798_761_600
FINGERPRINT = "fp_opsloop_testing"
DONE = b"data: [DONE]\n\n"

encode = msgspec.json.Encoder().encode

_STATUS = {
    Kind.INVALID: 400,
    Kind.ANONYMOUS: 401,
    Kind.MISSING: 404,
    Kind.TOO_LARGE: 413,
}
_TYPES = {429: "rate_limit_error", 401: "authentication_error", 403: "permission_error"}


@dataclass(frozen=True, slots=True)
class Asker:
    """What an answer repeats of who asked: its id, the model's name, whether in Azure's way."""

    id: str
    model: str
    azure: bool = False


def usage(prompt_tokens: int, said: list[Said]) -> dict[str, Any]:
    completion_tokens = sum(each.tokens for each in said)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def event(document: dict[str, Any]) -> bytes:
    return b"data: " + encode(document) + b"\n\n"


def logprob(token: str, place: int = 0) -> float:
    """A figure below 0 that is always the same for a token; lower for each place after the first."""
    return -(crc32(token.encode("utf-8", "replace")) % 1000 + 1) / 1000 - place


def chat_logprobs(text: str, top: int) -> dict[str, Any]:
    return {"content": [_token(piece, top) for piece in tokens.pieces(text)], "refusal": None}


def _token(piece: str, top: int) -> dict[str, Any]:
    alternatives = [_weighed(f"{piece}{'~' * place}", logprob(piece, place)) for place in range(top)]
    return {**_weighed(piece, logprob(piece)), "top_logprobs": alternatives}


def _weighed(token: str, value: float) -> dict[str, Any]:
    return {"token": token, "logprob": value, "bytes": list(token.encode("utf-8", "replace"))}


def completion_logprobs(text: str, top: int) -> dict[str, Any]:
    pieces = tokens.pieces(text)
    offsets = [0]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece))
    return {
        "tokens": pieces,
        "token_logprobs": [logprob(piece) for piece in pieces],
        "top_logprobs": [{f"{piece}{'~' * at}": logprob(piece, at) for at in range(top)} for piece in pieces],
        "text_offset": offsets[:-1],
    }


def error(status: int, message: str, *, param: str | None = None, code: str | None = None) -> bytes:
    """An error's document. Source: OpenAI API reference, "Error codes"."""
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return encode({"error": {"message": message, "type": kind, "param": param, "code": code}})


def refusal(found: OpsloopError) -> tuple[int, bytes]:
    """The status and the document of what was wrong with a request."""
    status = _STATUS.get(found.kind, 500)
    field = found.facts.get("field")
    param = field if isinstance(field, str) and field != "body" else None
    return status, error(status, found.sentence, param=param, code=found.facts.get("code"))
