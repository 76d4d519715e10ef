"""Bodies of the protocol: gzip and plain, protobuf and JSON, in and out.

Source: OTLP specification 1.x, OTLP/HTTP: a request that cannot be read is answered with 400 and a `google.rpc.Status`
in the request's own encoding; one of which a part could not be stored with 200 and `partial_success`.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from typing import Any

from opsloop.core.errors import InvalidInput, TooLarge, shown

PROTOBUF, JSON = "application/x-protobuf", "application/json"
NESTED_AT_MOST = 60
_IDS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})
_INVALID_ARGUMENT, _RESOURCE_EXHAUSTED, _UNAVAILABLE, _UNAUTHENTICATED, _INTERNAL, _DENIED = 3, 8, 14, 16, 13, 7
_CODES = {401: _UNAUTHENTICATED, 403: _DENIED, 413: _RESOURCE_EXHAUSTED, 429: _RESOURCE_EXHAUSTED, 503: _UNAVAILABLE}


class TelemetryTooLarge(TooLarge):
    template = "the telemetry in this request is over {limit} bytes once unpacked; send it in smaller batches"


def media_type_of(header: str) -> str | None:
    """The encoding that a content-type names; None for another one."""
    named = header.partition(";")[0].strip().lower()
    return named if named in (PROTOBUF, JSON) else None


def unpacked(body: bytes, encoding: str, *, limit: int) -> bytes:
    """The body without its compression. Raises: InvalidInput, TelemetryTooLarge."""
    named = encoding.strip().lower()
    if named in ("", "identity"):
        return body
    if named != "gzip":
        raise InvalidInput(field="content-encoding", value=encoding, wanted="gzip or none")
    found = bytearray()
    rest = body
    while rest:
        member = zlib.decompressobj(wbits=31)
        try:
            found += member.decompress(rest, limit + 1 - len(found))
        except zlib.error as error:
            raise InvalidInput(f"body: not gzip as content-encoding says ({error})", field="body") from None
        if len(found) > limit or member.unconsumed_tail:
            raise TelemetryTooLarge(limit=limit)
        if not member.eof:
            raise InvalidInput("body: its gzip ends too early", field="body")
        rest = member.unused_data
    return bytes(found)


def decoded(message: Any, body: bytes, media_type: str) -> Any:
    """The request that a body holds. Args: message: its class. Raises: InvalidInput."""
    if media_type == JSON:
        return _from_json(message, body)
    from google.protobuf.message import DecodeError  # with the first request

    try:
        return message.FromString(body)
    except DecodeError as error:
        name = message.DESCRIPTOR.name
        raise InvalidInput(f"body: not a protobuf {name} ({shown(str(error))})", field="body") from None


def _from_json(message: Any, body: bytes) -> Any:
    from google.protobuf.json_format import ParseDict, ParseError  # with the first request in JSON

    try:
        given = json.loads(body)
        if not isinstance(given, dict):
            raise InvalidInput("body: wanted a JSON object", field="body")
        found = message()
        ParseDict(_with_ids(given, 0), found, ignore_unknown_fields=True)
    except RecursionError:
        raise InvalidInput(f"body: nested over {NESTED_AT_MOST} levels", field="body") from None
    except (ParseError, ValueError, TypeError, AttributeError) as error:
        raise InvalidInput(f"body: not OTLP in JSON ({shown(str(error), limit=200)})", field="body") from None
    return found


def _with_ids(value: Any, depth: int) -> Any:
    """With ids in base64, as protobuf's own JSON has them; the protocol writes them in hex."""
    if depth > NESTED_AT_MOST:
        raise RecursionError
    if isinstance(value, list):
        return [_with_ids(each, depth + 1) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: b64encode(bytes.fromhex(each)).decode()
        if key in _IDS and isinstance(each, str)
        else _with_ids(each, depth + 1)
        for key, each in value.items()
    }


def encoded(message: Any, media_type: str) -> bytes:
    """An answer in the request's encoding."""
    if media_type == JSON:
        from google.protobuf.json_format import MessageToJson  # see above

        return str(MessageToJson(message, indent=None)).encode()
    serialized: bytes = message.SerializeToString()
    return serialized


def status(http_status: int, sentence: str, media_type: str) -> bytes:
    """A `google.rpc.Status`, written by hand: two fields, and no further package. Source: google/rpc/status.proto."""
    code = _CODES.get(http_status, _INVALID_ARGUMENT if http_status < 500 else _INTERNAL)
    if media_type == JSON:
        return json.dumps({"code": code, "message": sentence}).encode()
    said = sentence.encode("utf-8", "replace")
    return bytes((0x08, code, 0x12)) + _varint(len(said)) + said


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
