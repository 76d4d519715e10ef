"""One call to a model server: sent when its endpoint takes another, tried again when that can help."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind

from opsloop.core.clock import Clock
from opsloop.core.errors import shown
from opsloop.core.telemetry import collecting
from opsloop.llm import settings
from opsloop.llm.answer_length import REASON_BYTES
from opsloop.llm.errors import AnswerTooLong, ModelRefused, ModelUnavailable
from opsloop.llm.live import current_live
from opsloop.llm.pacing import Pace, Turn, pace_of
from opsloop.llm.retry_budget import budget_of
from opsloop.llm.retrying import RETRYABLE, TOO_MANY, Patience, Tries, asked_wait_s
from opsloop.llm.servers import ModelServer, Operation
from opsloop.llm.transport import Reply, TooLong, Transport, TransportFailed

_REASON_CHARS = 500
# A 429 that no waiting cures: the account has no money left.
_SPENT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, ready to be sent. Args: limit_bytes: of its answer."""

    operation: Operation
    model: str
    body: bytes
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class _Trouble:
    error: ModelUnavailable
    status: int | None = None
    wait_s: float | None = None


class Caller:
    """Sends calls to one server."""

    def __init__(
        self,
        server: ModelServer,
        transport: Transport,
        *,
        patience: Patience,
        clock: Clock,
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        self.server = server
        self._transport = transport
        self._patience = patience
        self._clock = clock
        self._pause = pause

    async def whole(self, asked: Asked) -> bytes:
        """The body of the answer. Raises: ModelUnavailable, ModelRefused, AnswerTooLong."""
        pace = self._pace(asked)
        tries = Tries(self._patience, self._clock.monotonic_s())
        self._note_call()
        while True:
            turn = await pace.enter()
            try:
                sent = await self._sent(asked)
                if not isinstance(sent, _Trouble):
                    try:
                        body = await sent.read(asked.limit_bytes)
                    finally:
                        await sent.close()
                    pace.succeeded()
                    return body
            except TooLong as error:
                raise self.too_long(error.limit_bytes) from error
            except TransportFailed as error:
                sent = self._failed(error, "broke off its answer")
            finally:
                pace.leave()
            await self._wait(sent, turn, pace, tries)

    @asynccontextmanager
    async def opened(self, asked: Asked) -> AsyncIterator[Reply]:
        """The reply whose body then comes; once it has begun no other try is made.

        Raises: ModelUnavailable, ModelRefused, AnswerTooLong.
        """
        pace = self._pace(asked)
        tries = Tries(self._patience, self._clock.monotonic_s())
        self._note_call()
        while True:
            turn = await pace.enter()
            try:
                sent = await self._sent(asked)
                if not isinstance(sent, _Trouble):
                    pace.succeeded()
                    try:
                        yield sent
                    except TooLong as error:
                        raise self.too_long(error.limit_bytes) from error
                    except TransportFailed as error:
                        raise self._failed(error, "broke off its answer").error from error
                    finally:
                        await sent.close()
                    return
            finally:
                pace.leave()
            await self._wait(sent, turn, pace, tries)

    def too_long(self, limit_bytes: int) -> AnswerTooLong:
        return AnswerTooLong(base_url=self.server.address, limit=limit_bytes)

    async def aclose(self) -> None:
        """Close this loop's connections."""
        await self._transport.aclose()

    def _pace(self, asked: Asked) -> Pace:
        """One for each model (of Azure: deployment), for they have limits of their own."""

        def made() -> Pace:
            per_minute = self.server.calls_per_minute
            return Pace(
                self._clock,
                pause=self._pause,
                draw=self._patience.draw,
                calls_per_minute=per_minute,
                most_in_flight=settings.here().llm_calls_at_once,
            )

        return pace_of((self.server, asked.model), made)

    async def _sent(self, asked: Asked) -> Reply | _Trouble:
        url = self.server.url(asked.operation, asked.model)
        _name_server(url)
        try:
            reply = await self._transport.post(
                url, {**self.server.request_headers(), **collecting.headers()}, asked.body
            )
        except TransportFailed as error:
            return self._failed(error, "cannot be reached")
        if 200 <= reply.status < 300:
            return reply
        return await self._refused(reply)

    async def _refused(self, reply: Reply) -> _Trouble:
        """Raises: ModelRefused when trying again is of no use."""
        reason, code = await self._reason(reply)
        status = reply.status
        if status not in RETRYABLE or (status == TOO_MANY and code in _SPENT):
            raise ModelRefused(base_url=self.server.address, status=status, reason=reason)
        error = self._unavailable(f"answers with status {status}: {reason}")
        return _Trouble(error, status, asked_wait_s(reply.headers, self._clock.now()))

    async def _wait(self, trouble: _Trouble, turn: Turn, pace: Pace, tries: Tries) -> None:
        """Wait before the next try. Raises: ModelUnavailable when there is to be none."""
        too_many = trouble.status == TOO_MANY
        if too_many:
            pace.refused(turn, trouble.wait_s)
        crowded = too_many and turn.in_flight > 1
        wait_s = tries.wait_s(self._clock.monotonic_s(), trouble.wait_s, crowded=crowded)
        if wait_s is None or not self._may_retry():
            raise trouble.error
        if crowded and trouble.wait_s is not None:  # all in flight were asked to wait as long
            wait_s += self._patience.draw(0.0, min(1.0, wait_s / 10))
        await self._pause(wait_s)

    def _note_call(self) -> None:
        if current_live.get() is not None:
            budget_of(self.server.address, self._clock).asked()

    def _may_retry(self) -> bool:
        """Whether the server's budget has a retry left; calls that nobody waits for have none to keep."""
        live = current_live.get()
        if live is None:
            return True
        may = budget_of(self.server.address, self._clock).takes_retry()
        live.told("retry" if may else "retry_withheld")
        return may

    async def _reason(self, reply: Reply) -> tuple[str, str | None]:
        """What the server says, without a secret it repeats, and the code of OpenAI's form."""
        try:
            text = (await reply.read(REASON_BYTES)).decode("utf-8", "replace")
        except TransportFailed as error:
            text = str(error)
        finally:
            await reply.close()
        message, code = _told(text)
        return self.server.hidden(message), code

    def _failed(self, error: TransportFailed, what: str) -> _Trouble:
        return _Trouble(self._unavailable(f"{what} ({self.server.hidden(str(error))})"))

    def _unavailable(self, what: str) -> ModelUnavailable:
        return ModelUnavailable(base_url=self.server.address, what=what)


def _name_server(url: str) -> None:
    """Say in the span of a call to a model whom it asks. Source: OpenTelemetry semantic conventions, server.*."""
    span = collecting.current()
    if span is None or span.kind is not SpanKind.CLIENT:
        return
    parts = urlsplit(url)
    span.set_attribute("server.address", parts.hostname or "")
    if parts.port is not None:
        span.set_attribute("server.port", parts.port)


def _told(text: str) -> tuple[str, str | None]:
    try:
        error = json.loads(text)["error"]
        if isinstance(error, Mapping):
            code = error.get("code") or error.get("type")
            return _cut(error["message"]), None if code is None else str(code)
        return _cut(error), None
    except (ValueError, LookupError, TypeError, RecursionError):
        return shown(text), None


def _cut(text: Any) -> str:
    text = str(text)
    return text if len(text) <= _REASON_CHARS else f"{text[:_REASON_CHARS]}…"
