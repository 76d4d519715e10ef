"""Batches that leave for a collector: gzipped, tried again within a bound, never waited for, and counted when lost."""

from __future__ import annotations

import gzip
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import structlog

from opsloop.core.telemetry.otlp import answers
from opsloop.core.telemetry.otlp.answers import Answer
from opsloop.core.telemetry.otlp.destination import Destination

if TYPE_CHECKING:
    import httpx

log = structlog.get_logger()
TRIES = 4
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
STOP_S = 5.0
RETRYABLE = frozenset({429, 502, 503, 504})
"""Source: OTLP specification, OTLP/HTTP response, retryable response codes."""
Item = TypeVar("Item")


class Sender(Generic[Item]):
    """Takes items from any thread and sends them from one of its own.

    Args:
        message: the protobuf message of a batch.
        lost: called with a number of items that did not get there.
        most: items that wait; more are lost.
        batch: items in one request at most.
        delay_s: how long the first item waits for others.
    """

    def __init__(
        self,
        to: Destination,
        message: Callable[[Sequence[Item]], Any],
        lost: Callable[[int], None],
        *,
        most: int = 2_048,
        batch: int = 512,
        delay_s: float = 1.0,
    ) -> None:
        self._to = to
        self._message = message
        self._lost = lost
        self._most, self._batch, self._delay_s = most, batch, delay_s
        self._waiting: deque[Item] = deque()
        self._lock = threading.Lock()
        self._something = threading.Event()
        self._stopping = threading.Event()
        self._is_told = False
        self._is_rejection_told = False
        self._thread = threading.Thread(target=self._run, name=f"otlp-{to.signal.value}", daemon=True)

    def offer(self, items: Sequence[Item]) -> None:
        """Send these soon; what has no place is lost."""
        with self._lock:
            places = max(0, self._most - len(self._waiting))
            self._waiting.extend(items[:places])
        if len(items) > places:
            self._lost(len(items) - places)
        if not self._something.is_set():
            self._something.set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Send what waits, each batch once, for a few seconds at most."""
        self._stopping.set()
        self._something.set()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        import httpx  # only where something leaves

        verify = True if self._to.tls is None else self._to.tls
        with httpx.Client(timeout=self._to.timeout_s, headers=self._to.headers, verify=verify) as client:
            while True:
                self._something.wait()
                self._stopping.wait(self._delay_s)
                self._something.clear()
                while batch := self._taken():
                    self._send(client, batch)
                if self._stopping.is_set():
                    return

    def _taken(self) -> list[Item]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))]

    def _send(self, client: httpx.Client, batch: list[Item]) -> None:
        try:
            body = gzip.compress(self._message(batch).SerializeToString(), 1, mtime=0)
            taken = self._delivered(client, body)
        except Exception as error:  # noqa: BLE001 (the rim of a thread: the next batch may go well)
            taken = type(error).__name__
        if isinstance(taken, Answer):
            self._hear(taken)
            return
        self._lost(len(batch))
        if not self._is_told:  # once, not at every batch: these lines leave by the same way
            self._is_told = True
            log.warning("telemetry_not_sent", signal=self._to.signal.value, reason=taken)

    def _hear(self, answer: Answer) -> None:
        if self._is_told:
            self._is_told = False
            log.info("telemetry_sent_again", signal=self._to.signal.value)
        if answer.rejected:
            self._lost(answer.rejected)
        is_partial = answer.rejected > 0 or bool(answer.said)
        if is_partial and not self._is_rejection_told:
            log.warning(
                "telemetry_rejected", signal=self._to.signal.value, rejected=answer.rejected, collector_says=answer.said
            )
        self._is_rejection_told = is_partial

    def _delivered(self, client: httpx.Client, body: bytes) -> Answer | str:
        """What the collector says that took it, else what went wrong. Tried again where that may help."""
        import httpx

        headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
        reason = ""
        for number in range(TRIES):
            after_s = FIRST_WAIT_S * 2**number
            try:
                with client.stream("POST", self._to.url, content=body, headers=headers) as answer:
                    if answer.is_success:
                        return self._said(answer)
                    reason = f"the collector answers with status {answer.status_code}"
                    if answer.status_code not in RETRYABLE:
                        return reason
                    asked = answer.headers.get("retry-after", "")
                    after_s = min(float(asked), LONGEST_WAIT_S) if asked.isdigit() else after_s
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
                reason = str(error) or type(error).__name__
            if number < TRIES - 1 and self._stopping.wait(after_s):
                break
        return reason

    def _said(self, answer: httpx.Response) -> Answer:
        """Of the batch that was taken. It is some bytes; a collector that says more is not listened to."""
        import httpx

        body = b""
        try:
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > answers.LONGEST_BYTES:
                    return Answer()
        except httpx.HTTPError:  # it has the batch, whatever became of its answer
            return Answer()
        is_protobuf = answer.headers.get("content-type", "").startswith("application/x-protobuf")
        return answers.read(self._to.signal, body) if is_protobuf else Answer()
