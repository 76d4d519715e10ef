"""Any server that speaks OpenAI's API, over one lean HTTP path.

The official SDK is not used: it costs 3 to 4 ms of CPU a call, this some tenths of one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from opsloop.core.clock import Clock, SystemClock
from opsloop.core.errors import InvalidInput, shown
from opsloop.llm import answers
from opsloop.llm.errors import ModelGarbled, ModelRefused, ModelUnavailable
from opsloop.llm.port import Completion, Embedding, Message
from opsloop.llm.retrying import RETRYABLE, Patience, retry_after_s
from opsloop.llm.servers import ModelServer, Operation


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
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.server = server
        self.model = model or ""
        self._timeout = httpx.Timeout(timeout_s, connect=10.0)
        self._patience = patience or Patience()
        self._clock = clock or SystemClock()
        self._transport = transport
        self._pause = pause
        # A connection belongs to the loop it was opened on; a process may have several loops.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"OpenAICompatible({self.server.address!r}, model={self.model!r})"  # the key stays out

    async def chat(self, messages: Sequence[Message], **parameters: Any) -> Completion:
        body = await self._answer(Operation.CHAT, {"messages": list(messages)}, parameters)
        with self._garbled_unless_read():
            return answers.chat_completion(body, self._model_of(parameters))

    async def complete(self, prompt: str, **parameters: Any) -> Completion:
        body = await self._answer(Operation.COMPLETE, {"prompt": prompt}, parameters)
        with self._garbled_unless_read():
            return answers.text_completion(body, self._model_of(parameters))

    async def embed(self, texts: Sequence[str], **parameters: Any) -> Embedding:
        body = await self._answer(Operation.EMBED, {"input": list(texts)}, parameters)
        with self._garbled_unless_read():
            return answers.embedding(body, texts, self._model_of(parameters))

    async def stream(self, messages: Sequence[Message], **parameters: Any) -> AsyncIterator[str | Completion]:
        options = {"stream": True, "stream_options": {"include_usage": True}}
        response = await self._post(Operation.CHAT, {"messages": list(messages)}, {**parameters, **options})
        gathered = answers.Gathered(self._model_of(parameters))
        try:
            async for chunk in self._chunks(response, gathered):
                with self._garbled_unless_read():
                    piece = gathered.add(chunk)
                if piece:
                    yield piece
        except httpx.HTTPError as error:
            raise self._unavailable(f"broke off its answer ({error!r})") from error
        finally:
            await response.aclose()
        with self._garbled_unless_read():
            completion = gathered.completion()
        yield completion

    async def aclose(self) -> None:
        """Close this loop's connections."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def _model_of(self, parameters: Mapping[str, Any]) -> str:
        model = parameters.get("model") or self.model
        if not model:
            what = "deployment" if self.server.names_model_in_path else "model"
            wanted = f"the name of a {what} that {self.server.address} offers"
            raise InvalidInput(field="model", value=model, wanted=wanted)
        return str(model)

    def _body(self, asked: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
        set_ones = {key: value for key, value in parameters.items() if value is not None and key != "model"}
        named = {} if self.server.names_model_in_path else {"model": self._model_of(parameters)}
        return {**named, **set_ones, **asked}

    async def _answer(
        self, operation: Operation, asked: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        response = await self._post(operation, asked, parameters)
        try:
            with self._garbled_unless_read():
                body = json.loads(await response.aread())
                if not isinstance(body, dict):
                    raise TypeError(f"it is of type {type(body).__name__}")
                return body
        finally:
            await response.aclose()

    async def _chunks(self, response: httpx.Response, gathered: answers.Gathered) -> AsyncIterator[dict[str, Any]]:
        async for line in response.aiter_lines():
            if not line.startswith("data:"):
                continue
            data = line[5:].strip()
            if data == "[DONE]":
                return
            with self._garbled_unless_read():
                chunk = json.loads(data)
                failure = chunk.get("error")
            if failure:
                reason = failure.get("message") if isinstance(failure, dict) else failure
                raise self._unavailable(f"broke off its answer: {shown(str(reason), limit=300)}")
            yield chunk
        if not gathered.is_finished:  # some servers leave out [DONE]; a choice without its end is a broken answer
            raise self._unavailable("broke off its answer")

    def _client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            limits = httpx.Limits(max_connections=256, max_keepalive_connections=128)
            client = httpx.AsyncClient(timeout=self._timeout, limits=limits, transport=self._transport)
            self._clients[loop] = client
        return client

    async def _post(
        self, operation: Operation, asked: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> httpx.Response:
        """The response, opened, once the server takes the call."""
        url = self.server.url(operation, self._model_of(parameters))
        body = self._body(asked, parameters)
        attempt = 0
        while True:
            asked_wait_s = None
            try:
                client = self._client()
                request = client.build_request("POST", url, json=body, headers=self.server.request_headers())
                response = await client.send(request, stream=True)
            except httpx.TransportError as error:
                trouble = self._unavailable(f"cannot be reached ({_said(error)})")
            else:
                if response.status_code < 400:
                    return response
                reason = await self._reason(response)
                if response.status_code not in RETRYABLE:
                    raise ModelRefused(base_url=self.server.address, status=response.status_code, reason=reason)
                asked_wait_s = retry_after_s(response.headers.get("retry-after"), self._clock.now())
                trouble = self._unavailable(f"answers with status {response.status_code}: {reason}")
            wait_s = self._patience.wait_s(attempt, asked_wait_s)
            if wait_s is None:
                raise trouble
            await self._pause(wait_s)
            attempt += 1

    async def _reason(self, response: httpx.Response) -> str:
        try:
            text = (await response.aread())[:2000].decode("utf-8", "replace")
        finally:
            await response.aclose()
        try:
            error = json.loads(text)["error"]
            return str(error["message"] if isinstance(error, dict) else error)
        except (ValueError, LookupError, TypeError):
            return shown(text)

    def _unavailable(self, what: str) -> ModelUnavailable:
        return ModelUnavailable(base_url=self.server.address, what=what)

    @contextmanager
    def _garbled_unless_read(self) -> Iterator[None]:
        try:
            yield
        except answers.UNREADABLE as error:
            reason = shown(f"{type(error).__name__} {error}", limit=200)
            raise ModelGarbled(base_url=self.server.address, reason=reason) from error


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
