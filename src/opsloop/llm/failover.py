"""Several model servers behind one provider: when the first cannot answer, the next is asked.

A call goes on to the next server when one cannot be reached, fails, takes too long to begin, answers with garbage, or
does not know our key, our account or the model. It stays where it is when the call itself is at fault (another server
would refuse it too), and once the first piece of a stream is out: two models cannot write one answer.
Vectors of two models do not compare, so embeddings are asked of the first server alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import structlog

from opsloop.llm.breaker import Breaker
from opsloop.llm.errors import ModelGarbled, ModelRefused, ModelUnavailable
from opsloop.llm.offline import OfflineEngine
from opsloop.llm.port import ChatProvider, Completion, Embedding, Message

log = structlog.get_logger()
T = TypeVar("T")
# The server is at fault, or what we are to it; with 400, 413 and 422 it is the call.
_ITS_OWN = frozenset({401, 402, 403, 404, 429})


@dataclass(frozen=True, slots=True)
class Server:
    """One of several.

    Args:
        model: what it is asked for instead of the model that a call names; None: for what the call names.
    """

    name: str
    provider: ChatProvider
    breaker: Breaker
    model: str | None = None


class TooSlow(ModelUnavailable):
    template = "the model server {name} did not begin its answer within {limit_s:g} s"


class Failover:
    """Args:
    servers: in the order in which they are asked.
    begins_within_s: what each but the last has until its answer, of a stream until the first piece.
    """

    def __init__(self, servers: Sequence[Server], *, begins_within_s: float) -> None:
        self._servers = tuple(servers)
        self._limit_s = begins_within_s
        self.engine = servers[0].provider.engine
        self.model = servers[0].provider.model
        self.server: object = getattr(servers[0].provider, "server", None)

    def __repr__(self) -> str:
        return f"Failover({', '.join(each.name for each in self._servers)})"

    @property
    def beside(self) -> Failover | None:
        """The servers after the first, for a call that is hedged; None without one that is a model's."""
        others = [each for each in self._servers[1:] if each.provider.engine != OfflineEngine.engine]
        return Failover(others, begins_within_s=self._limit_s) if others else None

    async def chat(self, messages: Sequence[Message], **parameters: Any) -> Completion:
        return await self._asked(parameters, lambda provider, with_: provider.chat(messages, **with_))

    async def complete(self, prompt: str, **parameters: Any) -> Completion:
        return await self._asked(parameters, lambda provider, with_: provider.complete(prompt, **with_))

    async def embed(self, texts: Sequence[str], **parameters: Any) -> Embedding:
        return await self._servers[0].provider.embed(texts, **parameters)

    async def stream(self, messages: Sequence[Message], **parameters: Any) -> AsyncIterator[str | Completion]:
        begun = await self._begun(messages, parameters)
        async with aclosing(begun.rest) as rest:
            yield begun.first
            try:
                async for piece in rest:
                    yield piece
            except Exception as error:
                _told(begun.server, error)
                raise
        begun.server.breaker.succeeded()

    async def _begun(self, messages: Sequence[Message], parameters: dict[str, Any]) -> _Begun:
        async def begin(provider: ChatProvider, with_: dict[str, Any]) -> tuple[str | Completion, _Pieces]:
            pieces = cast(_Pieces, provider.stream(messages, **with_))
            return await anext(pieces), pieces

        for server, is_last in self._in_order():
            try:
                first, rest = await self._within(server, begin(server.provider, _for(server, parameters)), is_last)
            except Exception as error:
                if _told(server, error) and not is_last:
                    continue
                raise
            return _Begun(server, first, rest)
        raise AssertionError("the last server raises")

    async def _asked(
        self, parameters: dict[str, Any], ask: Callable[[ChatProvider, dict[str, Any]], Awaitable[T]]
    ) -> T:
        for server, is_last in self._in_order():
            try:
                answer = await self._within(server, ask(server.provider, _for(server, parameters)), is_last)
            except Exception as error:
                if _told(server, error) and not is_last:
                    continue
                raise
            server.breaker.succeeded()
            return answer
        raise AssertionError("the last server raises")

    def _in_order(self) -> Sequence[tuple[Server, bool]]:
        """Those that may be asked now, and whether one is the last of them; the first when none may."""
        found = [each for each in self._servers if each.breaker.lets_in()] or [self._servers[0]]
        return [(each, each is found[-1]) for each in found]

    async def _within(self, server: Server, work: Awaitable[T], is_last: bool) -> T:
        timer = asyncio.timeout(None if is_last else self._limit_s)
        try:
            async with timer:
                return await work
        except TimeoutError:
            if timer.expired():
                raise TooSlow(name=server.name, limit_s=self._limit_s) from None
            raise


_Pieces = AsyncGenerator[str | Completion, None]


@dataclass(frozen=True, slots=True)
class _Begun:
    server: Server
    first: str | Completion
    rest: _Pieces


def _for(server: Server, parameters: dict[str, Any]) -> dict[str, Any]:
    return parameters if server.model is None else {**parameters, "model": server.model}


def _told(server: Server, error: Exception) -> bool:
    """Note how a call went wrong; whether another server may do better."""
    is_its_own = isinstance(error, ModelUnavailable | ModelGarbled) or (
        isinstance(error, ModelRefused) and error.facts.get("status") in _ITS_OWN
    )
    if is_its_own:
        was_open = server.breaker.is_open
        server.breaker.failed()
        if server.breaker.is_open and not was_open:
            log.warning("model_server_rests", server=server.name, reason=str(error))
    else:
        server.breaker.succeeded()  # it answered: what is wrong is the call
    return is_its_own
