"""The body of a request for predictions."""

from __future__ import annotations

import json
import re
from typing import Literal

import msgspec

from opsloop.core.errors import InvalidInput, shown
from opsloop.core.web.json_body import decoded, unreadable
from opsloop.gateway.predicting.repeated_keys import repeated_key

_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*?)`")
Wanted = Literal["probabilities", "intervals"]


class PredictRequest(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Args:
    inputs: rows as lists, rows as objects, or an object of columns.
    wanted: `return`: what the answer says beside the predictions.
    alpha: chance that an interval or a set does not hold the truth.
    """

    inputs: msgspec.Raw
    wanted: list[Wanted] = msgspec.field(name="return", default_factory=list)
    alpha: float = 0.1
    user: str | None = None


decoder = msgspec.json.Decoder(PredictRequest)


def request_of(body: bytes) -> PredictRequest:
    """Raises: InvalidInput."""
    try:
        request = decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(body, error) from None
    if may_repeat(body) and (key := repeated_key(body)) is not None:
        raise InvalidInput(f"body: has the key {shown(key)} twice; wanted it once", field="body")
    if not 0 < request.alpha < 1:
        raise InvalidInput(field="alpha", value=request.alpha, wanted="a number between 0 and 1")
    return request


def may_repeat(body: bytes) -> bool:
    """Whether it is worth a second reading that a body has its rows twice, of which the first would go unseen."""
    return body.count(b'"inputs"') > 1


def _unreadable(body: bytes, error: Exception) -> InvalidInput:
    """Where JSON itself is broken by a value of the rows, leave it to whoever reads rows to name it."""
    if not isinstance(error, msgspec.ValidationError):
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict) and "inputs" in found:
            raise Unread(json.dumps(found["inputs"]).encode(), unreadable(body, str(error)))
    if (unknown := _UNKNOWN.match(str(error))) is not None:
        wanted = "`inputs`, and if you like `return`, `alpha`, `user`"
        return InvalidInput(f"body: has a field {unknown['name']!r}; wanted {wanted}", field="body")
    try:
        decoded(decoder, body)
    except InvalidInput as refused:
        return refused
    raise AssertionError("what could not be read was read")


class Unread(Exception):
    """JSON that no reader of the standard takes, but whose rows can be looked at: `NaN`, `1e999`.

    Args:
        refused: what to say where the rows are as they should be.
    """

    def __init__(self, rows: bytes, refused: InvalidInput) -> None:
        super().__init__()
        self.rows = rows
        self.refused = refused
