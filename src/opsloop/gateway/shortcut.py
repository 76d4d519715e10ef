"""The short way of a request for predictions: from the parsed request to the bytes of its answer, without waiting.

It takes what it can answer whole, at once and well, and leaves everything else to the ordinary way, also after a look
at the body: wrong rows, slow models, callers it does not know, a candidate that fails. So the two ways cannot differ
in what they refuse, and nothing is recorded twice: what is left has left no trace.

Answers of one turn of the loop are given out together, after one write of all their records to the spool. A record is
there before its answer, as on the ordinary way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Protocol

import msgspec
import structlog

from opsloop.core.clock import Clock
from opsloop.core.errors import OpsloopError
from opsloop.gateway.ledger import RecordIds
from opsloop.gateway.predicting import answers
from opsloop.gateway.predicting.copying import Copying
from opsloop.gateway.predicting.held import Models
from opsloop.gateway.predicting.keeping import ENGINE, Keeping
from opsloop.gateway.predicting.predictor import Predicted, Predictor
from opsloop.gateway.predicting.requests import decoder, may_repeat
from opsloop.gateway.predicting.rows import Table
from opsloop.monitoring.models import RequestRecord
from opsloop.releases.routing import Arm, Route, RoutingTable, choose

log = structlog.get_logger()
_DEFAULT = answers.PATH.encode()
_PREFIX, _SUFFIX = answers.PREFIX.encode(), answers.SUFFIX.encode()
_SUBJECTS = 10_000
Written = Callable[[bytes], None]


class RoutesInMemory(Protocol):
    @property
    def table(self) -> RoutingTable: ...
    @property
    def default_model(self) -> str | None: ...


class Records(Protocol):
    def record_all(self, records: Sequence[RequestRecord]) -> None:
        """Keep them; they are safe when this returns."""
        ...


class Limits(Protocol):
    def of(self, key: str | None, endpoint: str | None) -> Sequence[object]: ...


class Shortcut:
    """Used on the loop alone."""

    def __init__(
        self,
        routes: RoutesInMemory,
        arms: Models,
        recorder: Records,
        ids: RecordIds,
        subject_of: Callable[[str], str],
        keeping: Keeping,
        clock: Clock,
        new_request_id: Callable[[str], str],
        copying: Copying | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._limits = limits
        self._routes = routes
        self._arms = arms
        self._recorder = recorder
        self._ids = ids
        self._subject_of = lru_cache(_SUBJECTS)(subject_of)
        self._keeping = keeping
        self._clock = clock
        self._new_request_id = new_request_id
        self._copying = copying
        self._copied: list[Callable[[], None]] = []
        self._records: list[RequestRecord] = []
        self._answers: list[tuple[Written, bytes]] = []
        self.is_open = True
        self.answered = 0

    def request_id(self) -> str:
        """For a request whose caller gave none."""
        return self._new_request_id("req")

    def endpoint(self, target: bytes) -> str | None:
        """The endpoint that a request's target asks for predictions; None for every other target."""
        if not self.is_open:
            return None
        if target == _DEFAULT:
            return self._routes.default_model
        if target.startswith(_PREFIX) and target.endswith(_SUFFIX):
            name = target[len(_PREFIX) : -len(_SUFFIX)]
            return name.decode() if name.isascii() and b"%" not in name and b"?" not in name else None
        return None

    def is_limited(self, endpoint: str, caller: str) -> bool:
        """Whether somebody counts what this caller sends there: the ordinary way does."""
        key = caller.removeprefix("key:") if caller.startswith("key:") else None
        return self._limits is not None and bool(self._limits.of(key, endpoint))

    def answer(
        self, endpoint: str, body: bytes, *, named: str | None, request_id: str, written: Written, api_key: str = ""
    ) -> bool:
        """Whether this was answered; `written` gets the head's rest and the body before the loop's next turn.

        Args:
            api_key: name of the key that asks; empty for whoever has none.
            named: whoever a header says asks, as `serving.user_named` has them.
            request_id: that the ordinary way has, too, when this is left to it: it may be what the arm is drawn for.
        """
        route = self._routes.table.routes.get(endpoint)
        if route is None or not self.is_open:
            return False
        started_s = self._clock.monotonic_s()
        try:
            request = decoder.decode(body)
            if request.wanted or not 0 < request.alpha < 1 or may_repeat(body):
                return False
            user = f"user:{request.user}" if request.user else named
            subject = self._subject_of(user) if user else request_id
            arm = choose(route, subject)
            predictor = self._arms.model(arm, endpoint)
            table = predictor.rows.table(request.inputs)
            if not predictor.is_fast(table):
                return False
            predicted = predictor.predict(table)
        except (OpsloopError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
            return False
        except Exception:  # the ordinary way meets it again, and can say more
            log.debug("shortcut_failed", exc_info=True)
            return False
        self.answered += 1
        self._keep(route, arm, predicted, subject, request_id, started_s, api_key)
        self._copy(route, predicted, request.inputs, request_id=request_id, subject=subject)
        answer = answers.body_of(predicted, answers.release_text(arm.release), request_id.encode())
        if not self._answers:
            asyncio.get_running_loop().call_soon(self.flush)
        self._answers.append((written, _HEAD % (len(answer), request_id.encode(), answer)))
        return True

    def flush(self) -> None:
        """Keep the records of this turn of the loop, then give out its answers."""
        records, self._records = self._records, []
        given, self._answers = self._answers, []
        self._recorder.record_all(records)
        for written, answer in given:
            written(answer)
        copied, self._copied = self._copied, []
        for offer in copied:
            offer()

    def _keep(
        self,
        route: Route,
        arm: Arm,
        predicted: Predicted,
        subject: str,
        request_id: str,
        started_s: float,
        api_key: str,
    ) -> None:
        inputs, values = self._keeping.texts(predicted)
        self._records.append(
            RequestRecord(
                id=self._ids.new(),
                request_id=request_id,
                endpoint=route.endpoint,
                release=arm.release,
                arm=arm.name,
                rollout=route.rollout,
                candidate_share=route.candidate_share,
                subject=subject,
                started_at=self._clock.now(),
                duration_ms=(self._clock.monotonic_s() - started_s) * 1000,
                status="ok",
                engine=ENGINE,
                rows=len(predicted.table.X),
                inputs=inputs,
                predictions=values,
                drift_score=predicted.score,
                api_key=api_key,
            )
        )
        self._keeping.log(predicted)

    def _copy(self, route: Route, predicted: Predicted, rows: msgspec.Raw, *, request_id: str, subject: str) -> None:
        """Offer the rows to a candidate in the shadow once the answer is out."""
        if route.shadow and self._copying is not None:

            def table_of(predictor: Predictor) -> Table:
                return predictor.rows.table(rows)

            offer = partial(self._copying.offer, route, predicted, table_of, request_id=request_id, subject=subject)
            self._copied.append(offer)


# What follows the status line and the server's own headers.
_HEAD = b"content-type: application/json\r\ncontent-length: %d\r\nx-request-id: %b\r\n\r\n%b"
