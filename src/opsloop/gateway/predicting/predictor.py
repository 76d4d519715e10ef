"""A model behind an arm: its rows read, run where that costs least, watched."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import structlog
from starlette.concurrency import run_in_threadpool

from opsloop.gateway.predicting.rows import Rows, Table
from opsloop.models.signature import FieldType, Signature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from opsloop.models.runtime import LoadedModel, Predictions

log = structlog.get_logger()
LOOP_S = 0.002
"""A model that needs longer for the rows of a request runs in a thread: meanwhile the loop answers others."""
_MEASURED_ROWS = 100
_encode = msgspec.json.Encoder().encode


class Reading(Protocol):
    @property
    def detected(self) -> bool: ...
    @property
    def score(self) -> float: ...


class Watching(Protocol):
    """What looks at every answer; never raises."""

    def observe(self, X: Any, predictions: Any, at_s: float) -> Reading: ...

    def close(self) -> None: ...


class Predicted(msgspec.Struct, frozen=True, gc=False):
    """What a model said of the rows of one request.

    A msgspec struct, not a dataclass: it is made for every request, and costs a tenth there.

    Args:
        values: JSON of the list of what the model says.
        score: of the drift detector after these rows; None where nothing watches.
    """

    table: Table
    values: bytes
    detected: bool
    score: float | None
    predictions: Predictions | None = None


class Predictor:
    """Args:
    watch: None where drift is not watched.
    rows: most of one request.
    """

    __slots__ = ("_clock_s", "loop_rows", "model", "rows", "watch")

    def __init__(
        self, model: LoadedModel, watch: Watching | None, *, rows: int, clock_s: Callable[[], float] = time.time
    ) -> None:
        self.model = model
        self.watch = watch
        self.rows = Rows(model.signature, rows)
        self._clock_s = clock_s
        self.loop_rows = _rows_within(LOOP_S, model)

    @property
    def signature(self) -> Signature:
        return self.model.signature

    def is_fast(self, table: Table) -> bool:
        """Whether these rows are predicted in less time than handing them to a thread is worth."""
        return len(table.X) <= self.loop_rows

    def predict(self, table: Table) -> Predicted:
        """What the model says of the rows, on this thread, and what that says of drift."""
        values = self.model.values(table.X)
        if self.watch is None:
            return Predicted(table, _encode(values), False, None)
        reading = self.watch.observe(table.X, values, self._clock_s())
        return Predicted(table, _encode(values), reading.detected, reading.score)

    async def predicted(self, table: Table, *, with_scores: bool) -> Predicted:
        """The same on the loop or in a thread. Args: with_scores: whether probabilities or intervals are asked for."""
        ask = self._predict_all if with_scores else self.predict
        return ask(table) if self.is_fast(table) else await run_in_threadpool(ask, table)

    def _predict_all(self, table: Table) -> Predicted:
        found = self.model.predict(table.X)
        values = _encode(found.values)
        if self.watch is None:
            return Predicted(table, values, False, None, found)
        reading = self.watch.observe(table.X, found.values, self._clock_s())
        return Predicted(table, values, reading.detected, reading.score, found)

    def close(self) -> None:
        """Store what the watch knows."""
        if self.watch is not None:
            self.watch.close()


def _rows_within(limit_s: float, model: LoadedModel) -> int:
    """How many rows the model predicts in this time, measured: the cost of a call and the cost of a row."""
    one, many = (_fastest_s(model, _sample(model.signature, rows)) for rows in (1, _MEASURED_ROWS))
    per_row_s = max((many - one) / (_MEASURED_ROWS - 1), 1e-9)
    return max(0, int((limit_s - one) / per_row_s) + 1) if one <= limit_s else 0


def _fastest_s(model: LoadedModel, X: NDArray[Any]) -> float:
    times = []
    for _ in range(5):
        started_s = time.perf_counter()
        model.values(X)
        times.append(time.perf_counter() - started_s)
    return min(times)


def _sample(signature: Signature, rows: int) -> NDArray[Any]:
    """Rows in the middle of what was seen in training."""
    import numpy as np  # an extra, loaded with the first model

    if signature.is_numeric:
        return np.array([[_middle(field.low, field.high) for field in signature.inputs]] * rows, dtype=np.float64)
    row = [
        (field.categories[0] if field.categories else "") if field.type is FieldType.TEXT
        else _middle(field.low, field.high)
        for field in signature.inputs
    ]  # fmt: skip
    return np.array([row] * rows, dtype=object)


def _middle(low: float | None, high: float | None) -> float:
    return 0.0 if low is None or high is None else (low + high) / 2
