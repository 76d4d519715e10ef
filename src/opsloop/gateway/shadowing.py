"""Copies of requests for a candidate in the shadow: asked once the answer was sent, recorded, thrown away.

A copy never holds a caller up: it is made when the answer is out, at most so many are under way at a time, and those
beyond are left out, which costs the comparison nothing but rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog

from opsloop.core.clock import Clock
from opsloop.core.errors import OpsloopError
from opsloop.core.web.problems import status_of
from opsloop.gateway.ledger import RecordIds
from opsloop.monitoring.models import BESIDE, NOTHING, RequestRecord
from opsloop.monitoring.recorder import Recorder
from opsloop.releases.routing import Arm, Route, bucket

log = structlog.get_logger()
AT_ONCE = 32
TIMEOUT_S = 30.0
CLOSE = 0.01
"""Numbers this near to each other, as a share of the larger one, are taken to say the same."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an arm says to a request.

    Args:
        values: of the request's rows; of a flow the one answer.
        facts: fields of the record.
        is_kept: whether the values go on record.
    """

    values: Sequence[Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    is_kept: bool = True


Ask = Callable[[Arm], Awaitable[Said]]
Compare = Callable[[Sequence[Any], Sequence[Any]], float | None]
"""How far stable and the candidate say the same, 0 to 1; None when they cannot be compared."""

_encode = msgspec.json.Encoder().encode


def is_copied(route: Route, request_id: str) -> bool:
    """Whether a request is among those that are copied; another rollout draws others."""
    if route.candidate is None or route.shadow <= 0.0:
        return False
    return bucket(f"{route.salt} shadow", request_id) < route.shadow


def agreement(stable: Sequence[Any], candidate: Sequence[Any]) -> float | None:
    """The share of rows on which both say the same; None when they speak of different rows."""
    if not stable or len(stable) != len(candidate):
        return None
    return sum(map(_agree, stable, candidate)) / len(stable)


def _agree(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        try:
            return bool(abs(one - other) <= CLOSE * max(abs(one), abs(other)))
        except TypeError:
            return False
    return bool(one == other)


class Copies:
    """Of one gateway. Of one event loop."""

    def __init__(self, recorder: Recorder, ids: RecordIds, clock: Clock) -> None:
        self._recorder = recorder
        self._ids = ids
        self._clock = clock
        self._under_way: set[asyncio.Task[None]] = set()

    def offer(
        self,
        route: Route,
        ask: Ask,
        *,
        request_id: str,
        subject: str,
        answered: Sequence[Any] | None,
        inputs: msgspec.Raw = NOTHING,
        rows: int = 0,
        compare: Compare = agreement,
        engine: str = "model",
    ) -> bool:
        """Have the candidate asked, when the route wants that and there is room; whether it is.

        Args:
            answered: what stable said of the rows; None when it failed.
            compare: how far both say the same.
            engine: what makes answers, where the candidate does not say.
        """
        if not is_copied(route, request_id) or len(self._under_way) >= AT_ONCE:
            return False
        copy = self._asked(route, ask, request_id, subject, answered, inputs, rows, compare, engine)
        task = asyncio.ensure_future(copy)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return True

    async def drain(self) -> None:
        """Wait for the copies that are under way."""
        if self._under_way:
            await asyncio.wait(set(self._under_way))

    async def _asked(
        self,
        route: Route,
        ask: Ask,
        request_id: str,
        subject: str,
        answered: Sequence[Any] | None,
        inputs: msgspec.Raw,
        rows: int,
        compare: Compare,
        engine: str,
    ) -> None:
        arm = route.candidate
        assert arm is not None
        started_at, started_s = self._clock.now(), self._clock.monotonic_s()
        said: Said | None = None
        failure: Exception | None = None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                said = await ask(arm)
        except Exception as error:  # noqa: BLE001 (a release can fail in any way; the caller has the answer already)
            failure = error
            log.debug("shadow_failed", endpoint=route.endpoint, release=arm.release, error=str(error))
        self._recorder.record(
            RequestRecord(
                id=self._ids.new(),
                request_id=f"{request_id}{BESIDE}",
                endpoint=route.endpoint,
                release=arm.release,
                arm=arm.name,
                rollout=route.rollout,
                candidate_share=route.candidate_share,
                subject=subject,
                started_at=started_at,
                duration_ms=(self._clock.monotonic_s() - started_s) * 1000,
                status="ok" if failure is None else "error",
                error_type=None if failure is None else type(failure).__name__,
                http_status=_status(failure, stable_answered=answered is not None),
                shadow=True,
                agreement=None if said is None or answered is None else compare(answered, said.values),
                rows=rows if said is not None else 0,
                inputs=inputs if said is not None else NOTHING,
                predictions=msgspec.Raw(_encode(list(said.values))) if said is not None and said.is_kept else NOTHING,
                **{"engine": engine, **(said.facts if said is not None else {})},
            )
        )


def _status(failure: Exception | None, *, stable_answered: bool) -> int:
    """What a caller would have got. What stable answered was no fault of the caller."""
    if failure is None:
        return 200
    status = status_of(failure) if isinstance(failure, OpsloopError) else 500
    return 500 if stable_answered and 400 <= status < 500 else status
