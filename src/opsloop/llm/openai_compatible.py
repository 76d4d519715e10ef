"""Any server that speaks OpenAI's API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec

from opsloop.core.clock import Clock, SystemClock
from opsloop.core.errors import InvalidInput, shown
from opsloop.llm import answer_length, answers, spending, token_estimates
from opsloop.llm.calling import Asked, Caller
from opsloop.llm.errors import ModelGarbled, ModelUnavailable
from opsloop.llm.http1.transport import Http1Transport
from opsloop.llm.port import Completion, Embedding, Message
from opsloop.llm.retrying import Patience
from opsloop.llm.servers import ModelServer, Operation
from opsloop.llm.transport import Reply, Transport


class OpenAICompatible:
    """A chat provider behind a model server.

    Args:
        model: what is asked for when a call names no `model`; of Azure the deployment.
        timeout_s: longest silence of the server.
        transport: what carries requests, for tests.
        pause: how to wait between tries, for tests.
    """

    engine = "openai-compatible"

    def __init__(
        self,
        server: ModelServer,
        *,
        model: str | None = None,
        timeout_s: float = 120.0,
        patience: Patience | None = None,
        clock: Clock | None = None,
        transport: Transport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.server = server
        self.model = model or ""
        self._caller = Caller(
            server,
            transport or Http1Transport(timeout_s),
            patience=patience or Patience(),
            clock=clock or SystemClock(),
            pause=pause,
        )

    def __repr__(self) -> str:
        return f"OpenAICompatible({self.server.address!r}, model={self.model!r})"  # the key stays out

    async def chat(self, messages: Sequence[Message], **parameters: Any) -> Completion:
        async with spending.billed(spending.most_of(self._model_of(parameters), messages, parameters)) as bill:
            body = await self._answer(Operation.CHAT, {"messages": list(messages)}, parameters)
            with self._garbled_unless_read():
                completion = answers.chat_completion(body, self._model_of(parameters))
            completion = _counted(completion, messages, parameters)
            bill.settle(completion.model, completion.usage)
        return completion

    async def complete(self, prompt: str, **parameters: Any) -> Completion:
        async with spending.billed(spending.most_of(self._model_of(parameters), prompt, parameters)) as bill:
            body = await self._answer(Operation.COMPLETE, {"prompt": prompt}, parameters)
            with self._garbled_unless_read():
                completion = answers.text_completion(body, self._model_of(parameters))
            usage = completion.usage or token_estimates.text_usage([prompt], completion.text)
            bill.settle(completion.model, usage)
        return replace(completion, usage=usage)

    async def embed(self, texts: Sequence[str], **parameters: Any) -> Embedding:
        async with spending.billed(spending.most_of_texts(self._model_of(parameters), texts)) as bill:
            body = await self._answer(Operation.EMBED, {"input": list(texts)}, parameters)
            with self._garbled_unless_read():
                found = answers.embedding(body, texts, self._model_of(parameters))
            usage = found.usage or token_estimates.text_usage(texts)
            bill.settle(found.model, usage)
        return replace(found, usage=usage)

    async def stream(self, messages: Sequence[Message], **parameters: Any) -> AsyncIterator[str | Completion]:
        options = {"stream": True, "stream_options": {"include_usage": True}}
        asked = self._asked(Operation.CHAT, {"messages": list(messages)}, {**parameters, **options})
        gathered = answers.Gathered(asked.model)
        most = spending.most_of(asked.model, messages, parameters)
        async with spending.billed(most) as bill, self._caller.opened(asked) as reply:
            if "json" in reply.headers.get("content-type", ""):  # a server that does not stream answers in one piece
                body = await reply.read(asked.limit_bytes)
                with self._garbled_unless_read():
                    completion = answers.chat_completion(_object(body), asked.model)
                bill.came(completion.text)
                yield completion.text
            else:
                async for chunk in self._chunks(reply, gathered, asked.limit_bytes):
                    with self._garbled_unless_read():
                        piece = gathered.add(chunk)
                    if gathered.size_bytes > asked.limit_bytes:
                        raise self._caller.too_long(asked.limit_bytes)
                    if piece:
                        bill.came(piece)
                        yield piece
                with self._garbled_unless_read():
                    completion = gathered.completion()
            completion = _counted(completion, messages, parameters)
            bill.settle(completion.model, completion.usage)
        yield completion

    async def aclose(self) -> None:
        """Close this loop's connections."""
        await self._caller.aclose()

    def _model_of(self, parameters: Mapping[str, Any]) -> str:
        model = parameters.get("model") or self.model
        if not model:
            what = "deployment" if self.server.names_model_in_path else "model"
            wanted = f"the name of a {what} that {self.server.address} offers"
            raise InvalidInput(field="model", value=model, wanted=wanted)
        return str(model)

    def _asked(self, operation: Operation, asked: Mapping[str, Any], parameters: Mapping[str, Any]) -> Asked:
        """Raises: InvalidInput when a value cannot be sent as JSON."""
        model = self._model_of(parameters)
        set_ones = {key: value for key, value in parameters.items() if value is not None and key != "model"}
        named = {} if self.server.names_model_in_path else {"model": model}
        try:
            body = json.dumps({**named, **set_ones, **asked}, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            wanted = "values of JSON: texts, numbers that are finite, lists and objects"
            raise InvalidInput(f"the call to a model: {error}; wanted {wanted}") from error
        texts = len(asked["input"]) if operation is Operation.EMBED else 0
        return Asked(operation, model, body, answer_length.limit_bytes(texts=texts))

    async def _answer(
        self, operation: Operation, asked: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        body = await self._caller.whole(self._asked(operation, asked, parameters))
        with self._garbled_unless_read():
            return _object(body)

    async def _chunks(
        self, reply: Reply, gathered: answers.Gathered, limit_bytes: int
    ) -> AsyncIterator[dict[str, Any]]:
        left = limit_bytes * answer_length.STREAMED_TIMES
        async for line in reply.lines(limit_bytes):
            left -= len(line) + 1
            if left < 0:
                raise self._caller.too_long(limit_bytes * answer_length.STREAMED_TIMES)
            if not line.startswith(b"data:"):
                continue
            data = line[5:].strip()
            if data == b"[DONE]":
                return
            with self._garbled_unless_read():
                chunk = _object(data)
            if failure := chunk.get("error"):
                reason = failure.get("message") if isinstance(failure, dict) else failure
                said = shown(self.server.hidden(str(reason)), limit=300)
                raise self._broken_off(f": {said}")
            yield chunk
        if not gathered.is_finished:  # some servers leave out [DONE]; a choice without its end is a broken answer
            raise self._broken_off()

    def _broken_off(self, why: str = "") -> ModelUnavailable:
        return ModelUnavailable(base_url=self.server.address, what=f"broke off its answer{why}")

    @contextmanager
    def _garbled_unless_read(self) -> Iterator[None]:
        try:
            yield
        except answers.UNREADABLE as error:
            reason = shown(self.server.hidden(f"{type(error).__name__} {error}"), limit=200)
            raise ModelGarbled(base_url=self.server.address, reason=reason) from error


def _counted(completion: Completion, messages: Sequence[Message], parameters: Mapping[str, Any]) -> Completion:
    """With an estimate of the tokens where the server counted none."""
    if completion.usage is not None:
        return completion
    tools = parameters.get("tools") or parameters.get("functions")
    return replace(completion, usage=token_estimates.chat_usage(messages, completion.message, tools))


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):  # some servers write NaN, or half a surrogate pair
        value = json.loads(data)
    if not isinstance(value, dict):
        raise TypeError(f"it is of type {type(value).__name__}")
    return value
