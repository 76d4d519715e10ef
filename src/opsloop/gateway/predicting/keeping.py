"""What is kept of predictions: in the request's record, and in a line of the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from opsloop.gateway.predicting.predictor import Predicted
from opsloop.monitoring.models import NOTHING

_encode = msgspec.json.Encoder().encode
ENGINE = "model"


class Keeping:
    """Args:
    rows: of a request that its record keeps.
    log: takes what was predicted to the log; does nothing where that is off.
    """

    __slots__ = ("_rows", "log")

    def __init__(self, rows: int, log: Callable[[Predicted], None]) -> None:
        self._rows = rows
        self.log = log

    def facts(self, predicted: Predicted) -> dict[str, Any]:
        """Fields of the record."""
        count = len(predicted.table.X)
        inputs, values = self.texts(predicted)
        return {
            "engine": ENGINE,
            "rows": count,
            "inputs": inputs,
            "predictions": values,
            "drift_score": predicted.score,
        }

    def texts(self, predicted: Predicted) -> tuple[msgspec.Raw, msgspec.Raw]:
        """The rows and what was said of them, as the record has them."""
        count = len(predicted.table.X)
        if not self._rows:
            return NOTHING, NOTHING
        if count <= self._rows:
            return msgspec.Raw(predicted.table.text), msgspec.Raw(predicted.values)
        return msgspec.Raw(first(predicted.table.text, self._rows)), msgspec.Raw(first(predicted.values, self._rows))


def first(text: bytes, count: int) -> bytes:
    """The first so many items of a JSON list."""
    return _encode(_raw_items.decode(text)[:count])


_raw_items = msgspec.json.Decoder(list[msgspec.Raw])
