"""One request to an endpoint: the arm that is asked, and the one that stands in for it when it fails.

Each attempt has the whole time limit, the stand-in too: with a shorter one for the candidate, slow answers would count
against it that do not count against stable.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from opsloop.core.errors import OpsloopError
from opsloop.flows.loaded import LoadedFlow
from opsloop.flows.results import FlowResult, TextDelta
from opsloop.gateway.arms import Arms
from opsloop.gateway.dialect import Answer, Dialect
from opsloop.gateway.errors import AnswerBrokeOff, AnswerNotJson, AnswerTimedOut
from opsloop.gateway.ledger import Ledger
from opsloop.gateway.outlet import Outlet
from opsloop.gateway.settings import GatewaySettings
from opsloop.gateway.standing_in import stand_in
from opsloop.releases.routing import Arm, Route

_NOT_JSON = (TypeError, ValueError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A stream whose first item is there."""

    arm: Arm
    flow: LoadedFlow
    first: TextDelta | FlowResult
    rest: AsyncGenerator[TextDelta | FlowResult, None]


class Exchange:
    """Args: drawn: the arm that was drawn for the subject."""

    __slots__ = ("_arms", "_asked", "_dialect", "_drawn", "_ledger", "_route", "_settings")

    def __init__(
        self, arms: Arms, settings: GatewaySettings, ledger: Ledger, route: Route, drawn: Arm, dialect: Dialect
    ) -> None:
        self._arms = arms
        self._settings = settings
        self._ledger = ledger
        self._route = route
        self._drawn = self._asked = drawn
        self._dialect = dialect

    async def answer(self) -> bytes:
        """The whole answer; its record is kept when this returns or raises. Raises: OpsloopError."""
        try:
            try:
                answer, body = await self._ask(self._drawn)
            except Exception as error:  # noqa: BLE001 (a release can fail in any way)
                answer, body = await self._ask(stand_in(self._route, self._drawn, self._ledger, error))
        except Exception as error:
            self._ledger.failed(self._asked, error)
            raise
        self._ledger.answered(answer.arm, answer.facts)
        return body

    async def stream(self, out: Outlet) -> None:
        """Send the answer piece by piece. Raises: OpsloopError, before anything was sent."""
        try:
            try:
                begun = await self._begin(self._drawn)
            except Exception as error:  # noqa: BLE001 (see above)
                begun = await self._begin(stand_in(self._route, self._drawn, self._ledger, error))
        except Exception as error:
            self._ledger.failed(self._asked, error)
            raise
        try:
            async with asyncio.timeout(self._settings.gateway_stream_timeout_s):
                await self._send(begun, out)
        except Exception as error:  # noqa: BLE001 (what is left of the stream says what happened)
            await self._break_off(error, out)

    def cancelled(self, reason: str) -> None:
        """The work was cancelled: note for whom."""
        self._ledger.cancelled(self._asked, reason)

    async def _ask(self, arm: Arm) -> tuple[Answer, bytes]:
        flow = self._flow(arm)
        inputs = self._dialect.inputs(flow)
        limit_s = self._settings.gateway_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                result = await flow.run(inputs)
        except TimeoutError:
            raise self._timed_out(limit_s) from None
        try:
            answer = self._answer(arm, flow, result)
            return answer, self._dialect.body(answer)
        except _NOT_JSON as error:
            raise self._not_json(error) from error

    async def _begin(self, arm: Arm) -> _Begun:
        """Ask an arm and wait for the first item of its stream: until then another arm can stand in."""
        flow = self._flow(arm)
        inputs = self._dialect.inputs(flow)
        items = flow.stream(inputs)
        limit_s = self._settings.gateway_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                first = await anext(items)
        except TimeoutError:
            raise self._timed_out(limit_s) from None
        return _Begun(arm, flow, first, items)

    async def _send(self, begun: _Begun, out: Outlet) -> None:
        async with aclosing(begun.rest) as rest:
            await out.open_stream()
            await out.write(self._dialect.opening(begun.arm))
            item = begun.first
            while isinstance(item, TextDelta):
                await out.write(self._dialect.piece(item.text))
                item = await anext(rest)
            answer = self._answer(begun.arm, begun.flow, item)
            closing = self._dialect.closing(answer)
            self._ledger.answered(answer.arm, answer.facts)
            await out.write(closing, is_last=True)

    async def _break_off(self, error: Exception, out: Outlet) -> None:
        if out.is_writing:  # the caller takes nothing any more: not the release's fault, and nothing can be said
            self._ledger.cancelled(self._asked, "CallerTooSlow")
            return
        told = self._told(error)
        self._ledger.failed(self._asked, told, http_status=200)
        await out.write(self._dialect.broken(told), is_last=True)

    def _told(self, error: Exception) -> OpsloopError:
        if isinstance(error, OpsloopError):
            return error
        if isinstance(error, TimeoutError):
            return self._timed_out(self._settings.gateway_stream_timeout_s)
        if isinstance(error, _NOT_JSON):
            return self._not_json(error)
        return AnswerBrokeOff(endpoint=self._route.endpoint, number=self._asked.number)

    def _flow(self, arm: Arm) -> LoadedFlow:
        self._asked = arm
        return self._arms.flow(arm, self._route.endpoint)

    def _answer(self, arm: Arm, flow: LoadedFlow, result: FlowResult) -> Answer:
        return Answer(arm, flow, result, self._dialect.usage(flow, result))

    def _timed_out(self, limit_s: float) -> AnswerTimedOut:
        return AnswerTimedOut(endpoint=self._route.endpoint, number=self._asked.number, limit_s=limit_s)

    def _not_json(self, error: Exception) -> AnswerNotJson:
        return AnswerNotJson(endpoint=self._route.endpoint, number=self._asked.number, reason=str(error)[:200])
