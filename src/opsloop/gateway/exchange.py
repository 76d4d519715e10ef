"""One request to an endpoint: the arm that is asked, and the one that stands in for it when it fails.

Each attempt has the whole time limit, the stand-in too: with a shorter one for the candidate, slow answers would count
against it that do not count against stable.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from opsloop.core.errors import Kind, OpsloopError
from opsloop.flows.chat_history import chat_answer
from opsloop.flows.loaded import LoadedFlow
from opsloop.flows.results import FlowResult, TextDelta
from opsloop.gateway import kept_texts
from opsloop.gateway.arms import Arms
from opsloop.gateway.desk import Desk
from opsloop.gateway.dialect import Answer, Dialect
from opsloop.gateway.errors import AnswerBrokeOff, AnswerNotJson, AnswerTimedOut
from opsloop.gateway.guarding import Guard, ToPerson, guard_of
from opsloop.gateway.hedgers import Hedgers
from opsloop.gateway.ledger import Ledger
from opsloop.gateway.memory import Remembering
from opsloop.gateway.outlet import Outlet
from opsloop.gateway.settings import GatewaySettings
from opsloop.gateway.standing_in import stand_in
from opsloop.guardrails.errors import RequestBlocked
from opsloop.guardrails.support.models import Ticket
from opsloop.limits.account import refusal_of_run
from opsloop.llm.live import Live, living
from opsloop.rag import reading
from opsloop.releases.routing import Arm, Route

_NOT_JSON = (TypeError, ValueError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A stream whose first item is there."""

    arm: Arm
    flow: LoadedFlow
    first: TextDelta | FlowResult
    rest: AsyncGenerator[TextDelta | FlowResult, None]
    guard: Guard | None
    ticket: Ticket | None = None


class Exchange:
    """Args:
    drawn: the arm that was drawn for the subject.
    used: is told how many tokens the answer used.
    remembering: where answers are kept that releases allow to be; `told_outcome` hears `hit` or `miss`.
    """

    __slots__ = (
        *(
            "_arms",
            "_asked",
            "_desk",
            "_dialect",
            "_drawn",
            "_hedgers",
            "_ledger",
            "_remembering",
            "_route",
            "_settings",
        ),
        *("_told_outcome", "_used"),
        "answered",
    )

    def __init__(
        self,
        arms: Arms,
        settings: GatewaySettings,
        ledger: Ledger,
        route: Route,
        drawn: Arm,
        dialect: Dialect,
        desk: Desk,
        *,
        hedgers: Hedgers,
        used: Callable[[int], None] | None = None,
        remembering: Remembering | None = None,
        told_outcome: Callable[[str], None] | None = None,
    ) -> None:
        self._desk = desk
        self._hedgers = hedgers
        self._used = used
        self._remembering = remembering
        self._told_outcome = told_outcome
        self._arms = arms
        self._settings = settings
        self._ledger = ledger
        self._route = route
        self._drawn = self._asked = drawn
        self._dialect = dialect
        self.answered: Answer | None = None
        """What was sent, once it was."""

    async def answer(self) -> bytes:
        """The whole answer; its record is kept when this returns or raises. Raises: OpsloopError."""
        try:
            try:
                answer, body = await self._ask(self._drawn)
            except RequestBlocked:  # no fault of the arm: nobody stands in
                raise
            except Exception as error:  # noqa: BLE001 (a release can fail in any way)
                answer, body = await self._ask(stand_in(self._route, self._drawn, self._ledger, error))
        except Exception as error:
            self._ledger.failed(self._asked, error)
            raise
        self._ledger.answered(answer.arm, await self._facts(answer))
        self.answered = answer
        return body

    async def stream(self, out: Outlet) -> None:
        """Send the answer piece by piece. Raises: OpsloopError, before anything was sent."""
        try:
            try:
                begun = await self._begin(self._drawn)
            except RequestBlocked:  # see above
                raise
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
        guard = self._guard(arm)
        ticket = None
        try:
            if guard is not None:
                inputs = await guard.request(inputs)
            result = await self._result(arm, flow, inputs)
            if guard is not None:
                result = replace(result, outputs=await guard.answer(result.outputs))
        except ToPerson as wish:
            result, ticket = await self._handed_over(flow, guard, wish.kinds)
        if ticket is None and result.outputs.get("escalate") is True:
            result, ticket = await self._handed_over(flow, guard, (), after=result)
        try:
            answer = self._answer(arm, flow, result, ticket)
            return answer, self._dialect.body(answer)
        except _NOT_JSON as error:
            raise self._not_json(error) from error

    async def _result(self, arm: Arm, flow: LoadedFlow, inputs: dict[str, Any]) -> FlowResult:
        limit_s = self._settings.gateway_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                result = await self._found(arm, inputs)
                if result is None:
                    with reading.noting() as read, living(self._live(arm, is_streamed=False)):
                        result = await flow.run(inputs)
                    self._keep(arm, inputs, result, read)
                return result
        except TimeoutError:
            raise self._timed_out(limit_s) from None
        except OpsloopError as error:
            raise refusal_of_run() or error from error

    async def _begin(self, arm: Arm) -> _Begun:
        """Ask an arm and wait for the first item of its stream: until then another arm can stand in."""
        flow = self._flow(arm)
        inputs = self._dialect.inputs(flow)
        guard = self._guard(arm)
        if guard is not None:
            try:
                inputs = await guard.request(inputs)
            except ToPerson as wish:
                result, ticket = await self._handed_over(flow, guard, wish.kinds)
                return _Begun(arm, flow, TextDelta(_text_of(flow, result)), _only(result), None, ticket)
        limit_s = self._settings.gateway_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                found = await self._found(arm, inputs)
                items = self._made(arm, flow, inputs) if found is None else _again(flow, found)
                first = await anext(items)
        except TimeoutError:
            raise self._timed_out(limit_s) from None
        except OpsloopError as error:
            raise refusal_of_run() or error from error
        return _Begun(arm, flow, first, items, guard)

    async def _found(self, arm: Arm, inputs: Mapping[str, Any]) -> FlowResult | None:
        """What the arm answered to the same before, where its release allows that."""
        if self._remembering is None:
            return None
        found = await self._remembering.find(arm, inputs)
        if self._told_outcome is not None and (outcome := self._remembering.outcome) is not None:
            self._told_outcome(outcome)
        return found

    def _keep(self, arm: Arm, inputs: Mapping[str, Any], result: FlowResult, read: Mapping[str, str]) -> None:
        if self._remembering is not None:
            self._remembering.keep(arm, inputs, result, read)

    async def _made(
        self, arm: Arm, flow: LoadedFlow, inputs: dict[str, Any]
    ) -> AsyncGenerator[TextDelta | FlowResult, None]:
        with reading.noting() as read, living(self._live(arm, is_streamed=True)):
            async with aclosing(flow.stream(inputs)) as items:
                async for item in items:
                    if isinstance(item, FlowResult):
                        self._keep(arm, inputs, item, read)
                    yield item

    async def _send(self, begun: _Begun, out: Outlet) -> None:
        async with aclosing(begun.rest) as rest:
            await out.open_stream()
            await out.write(self._dialect.opening(begun.arm))
            result, ticket = await self._sent(begun, rest, out)
            if ticket is None and result.outputs.get("escalate") is True:
                said = _text_of(begun.flow, result)
                result, ticket = await self._handed_over(begun.flow, begun.guard, (), after=result)
                await out.write(self._dialect.piece(_text_of(begun.flow, result).removeprefix(said)))
            answer = self._answer(begun.arm, begun.flow, result, ticket)
            closing = self._dialect.closing(answer)
            self._ledger.answered(answer.arm, await self._facts(answer))
            await out.write(closing, is_last=True)
            self.answered = answer

    async def _sent(
        self, begun: _Begun, rest: AsyncGenerator[TextDelta | FlowResult, None], out: Outlet
    ) -> tuple[FlowResult, Ticket | None]:
        """Send the pieces; what the run gave, or the hand-over that ends it."""
        guard, item = begun.guard, begun.first
        if guard is None:
            while isinstance(item, TextDelta):
                await out.write(self._dialect.piece(item.text))
                item = await anext(rest)
            return item, begun.ticket
        has_said = False
        try:
            while isinstance(item, TextDelta):
                if text := guard.feed(item.text):
                    has_said = True
                    await out.write(self._dialect.piece(text))
                guard.check_stream()
                item = await anext(rest)
            if text := guard.finish():
                has_said = True
                await out.write(self._dialect.piece(text))
            guard.check_stream()
            return replace(item, outputs=await guard.answer(item.outputs)), None
        except ToPerson as wish:
            result, ticket = await self._handed_over(begun.flow, guard, wish.kinds)
            text = _text_of(begun.flow, result)
            await out.write(self._dialect.piece(f"\n\n{text}" if has_said else text))
            return result, ticket

    async def _handed_over(
        self, flow: LoadedFlow, guard: Guard | None, kinds: Sequence[str], *, after: FlowResult | None = None
    ) -> tuple[FlowResult, Ticket]:
        """What the caller is told when a person is to answer, and under which ticket.

        Args:
            kinds: that were found; none where the flow itself asks for a person.
            after: what the flow said before.
        """
        policy = guard.policy if guard is not None else self._route.guardrails
        said = _text_of(flow, after) if after is not None else ""
        ticket = await self._desk.open(
            self._route, policy, self._dialect.conversation(), kinds=kinds, said=said, release=self._asked.release
        )
        message = policy.hand_over.replace("{ticket}", ticket.id)
        outputs = dict(after.outputs) if after is not None else {}
        outputs[flow.chat_output or "answer"] = f"{said}\n\n{message}" if said else message
        if after is not None:
            return replace(after, outputs=outputs), ticket
        return FlowResult(outputs=outputs, nodes=(), started_at=self._desk.now(), duration_ms=0.0), ticket

    def _live(self, arm: Arm, *, is_streamed: bool) -> Live:
        return self._hedgers.live(self._route.endpoint, arm, is_streamed=is_streamed)

    def _guard(self, arm: Arm) -> Guard | None:
        guard = guard_of(self._route, arm)
        if guard is not None:
            self._ledger.guarded_by(arm, guard)
        return guard

    async def _break_off(self, error: Exception, out: Outlet) -> None:
        if out.is_writing:  # the caller takes nothing any more: not the release's fault, and nothing can be said
            self._ledger.cancelled(self._asked, "CallerTooSlow")
            return
        told = self._told(error)
        is_limited = told.kind is Kind.LIMITED  # the caller's doing, though it began well
        self._ledger.failed(self._asked, told, http_status=None if is_limited else 200)
        await out.write(self._dialect.broken(told), is_last=True)

    def _told(self, error: Exception) -> OpsloopError:
        if isinstance(error, OpsloopError):
            return refusal_of_run() or error
        if isinstance(error, TimeoutError):
            return self._timed_out(self._settings.gateway_stream_timeout_s)
        if isinstance(error, _NOT_JSON):
            return self._not_json(error)
        return AnswerBrokeOff(endpoint=self._route.endpoint, number=self._asked.number)

    def _flow(self, arm: Arm) -> LoadedFlow:
        self._asked = arm
        return self._arms.flow(arm, self._route.endpoint)

    def _answer(self, arm: Arm, flow: LoadedFlow, result: FlowResult, ticket: Ticket | None) -> Answer:
        usage = self._dialect.usage(flow, result)
        is_cached = self._remembering is not None and self._remembering.is_hit
        if self._used is not None:
            self._used(0 if is_cached else usage.prompt + usage.completion)
        return Answer(arm, flow, result, usage, ticket, is_cached)

    async def _facts(self, answer: Answer) -> dict[str, Any]:
        """What the record keeps of an answer; its texts too where the endpoint keeps them."""
        if self._route.keep_texts is None:
            return answer.facts
        inputs = self._dialect.inputs(answer.flow)
        texts = await kept_texts.of_answer(self._route, self._ledger.request_id, answer.flow, inputs, answer.result)
        return {**answer.facts, "texts": texts}

    def _timed_out(self, limit_s: float) -> AnswerTimedOut:
        return AnswerTimedOut(endpoint=self._route.endpoint, number=self._asked.number, limit_s=limit_s)

    def _not_json(self, error: Exception) -> AnswerNotJson:
        return AnswerNotJson(endpoint=self._route.endpoint, number=self._asked.number, reason=str(error)[:200])


def _text_of(flow: LoadedFlow, result: FlowResult) -> str:
    """The chat output where it is a text; else nothing."""
    value = result.outputs.get(flow.chat_output or "answer")
    return value if isinstance(value, str) else ""


async def _only(result: FlowResult) -> AsyncGenerator[TextDelta | FlowResult, None]:
    yield result


async def _again(flow: LoadedFlow, found: FlowResult) -> AsyncGenerator[TextDelta | FlowResult, None]:
    """A kept answer as a stream: its text in one piece."""
    text = chat_answer(flow.flow, found.outputs) if flow.chat_output is not None else None
    if isinstance(text, str) and text:
        yield TextDelta(text)
    yield found
