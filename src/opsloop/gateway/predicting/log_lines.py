"""A line on stdout for each answer of a model, as log collectors are used to from services of one model.

Lines are made and written together by a thread of their own: answers do not wait for whoever reads stdout. When
nobody reads, lines are dropped and counted.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable

import msgspec
import structlog

from opsloop.gateway.predicting.answers import score_text
from opsloop.gateway.predicting.predictor import Predicted

log = structlog.get_logger()
SAMPLE_ROWS = 5
FLUSH_S = 0.05
MOST_WAITING = 50_000
_encode = msgspec.json.Encoder().encode


class LogLines:
    """Args:
    share: of answers that get a line, from 0 to 1.
    write: takes whole lines.
    """

    def __init__(self, share: float, write: Callable[[bytes], None] | None = None) -> None:
        self._share = share
        self._write = write or _to_stdout
        self._due = 0.0
        self._waiting: deque[Predicted] = deque()
        self._dropped = 0
        self._something = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, predicted: Predicted) -> None:
        self._due += self._share
        if self._due < 1:
            return
        self._due -= 1
        if len(self._waiting) >= MOST_WAITING:
            self._dropped += 1
            return
        self._waiting.append(predicted)
        if not self._something.is_set():
            self._something.set()

    def start(self) -> None:
        if self._share:
            self._thread = threading.Thread(target=self._run, name="log-lines", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Write what waits."""
        self._stopping.set()
        self._something.set()
        if self._thread is not None:
            self._thread.join()
        self._flush()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._something.wait()
            self._stopping.wait(FLUSH_S)  # gather
            self._something.clear()
            self._flush()

    def _flush(self) -> None:
        lines = [line(self._waiting.popleft()) for _ in range(len(self._waiting))]
        try:
            if lines:
                self._write(b"".join(lines))
        except OSError as error:
            self._dropped += len(lines)
            log.warning("prediction_lines_not_written", reason=str(error))
        if self._dropped:
            log.warning("prediction_lines_dropped", lines=self._dropped)
            self._dropped = 0


def line(predicted: Predicted) -> bytes:
    """With the first rows of the request."""
    table, values = predicted.table, predicted.values
    if len(table.X) <= SAMPLE_ROWS:
        inputs = table.text.replace(b"\n", b" ") if b"\n" in table.text else table.text
    else:
        inputs = _encode(table.X[:SAMPLE_ROWS].tolist())
        values = _encode(msgspec.json.decode(values)[:SAMPLE_ROWS])
    return (
        b'INFO {"event": "prediction", "inputs_sample": %b, "predictions_sample": %b, '
        b'"drift_detected": %b, "drift_score": %b}\n'
        % (inputs, values, b"true" if predicted.detected else b"false", score_text(predicted.score))
    )


def _to_stdout(lines: bytes) -> None:
    """Straight to the file: Python's own buffer may hold other text at the same time."""
    sys.stdout.flush()
    while lines:
        lines = lines[os.write(sys.stdout.fileno(), lines) :]
