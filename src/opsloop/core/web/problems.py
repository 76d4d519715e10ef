"""Errors as problem documents (RFC 9457): the one place where a kind of error becomes an HTTP status."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import msgspec

from opsloop.core.errors import Kind, OpsloopError, shown

MEDIA_TYPE = "application/problem+json"
_STATUS = {
    Kind.INVALID: 422,
    Kind.MISSING: 404,
    Kind.CONFLICT: 409,
    Kind.DENIED: 403,
    Kind.ANONYMOUS: 401,
    Kind.TOO_LARGE: 413,
    Kind.LIMITED: 429,
    Kind.UNAVAILABLE: 503,
    Kind.TIMED_OUT: 504,
    Kind.NO: 409,
    Kind.PENDING: 202,
    Kind.FAILED: 500,
}


def status_of(error: OpsloopError) -> int:
    return _STATUS[error.kind]


def problem(error: OpsloopError, *, request_id: str | None = None) -> dict[str, Any]:
    """The problem document of an error; `type` is stable, `kind` says which exit code a command line gives it."""
    document = document_for(status_of(error), error.slug(), error.sentence, request_id=request_id)
    document["kind"] = error.kind.value
    for name, fact in error.facts.items():
        if name not in document and name != "message":
            document[name] = fact if isinstance(fact, int | float | bool | None) else shown_text(fact)
    return document


def document_for(status: int, slug: str, detail: str, *, request_id: str | None = None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": f"urn:opsloop:problem:{slug}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if request_id is not None:
        document["request_id"] = request_id
    return document


def retry_after_s(error: OpsloopError) -> int:
    """How long to wait before asking again, in seconds: what the error knows of it, else one."""
    known = error.facts.get("retry_after_s")
    return known if isinstance(known, int) else 1


def headers_for(status: int, error: OpsloopError | None = None) -> dict[str, str]:
    """What an answer with this status says beside its problem document."""
    if status == HTTPStatus.UNAUTHORIZED:
        return {"www-authenticate": "Bearer"}
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return {"retry-after": str(1 if error is None else retry_after_s(error))}
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:  # the rest of the body is not read
        return {"connection": "close"}
    return {}


def shown_text(fact: object) -> str:
    return fact if isinstance(fact, str) and len(fact) <= 300 else shown(fact, limit=300)


def body_of(document: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:  # a lone surrogate that somebody sent; the standard library writes it as an escape
        return json.dumps(document).encode()
