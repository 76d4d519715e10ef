"""Any server that speaks OpenAI's chat API, over one lean HTTP path.

The official SDK is not used: it costs 3 to 4 ms of CPU a call, this some tenths of one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from opsloop.core.clock import Clock, SystemClock
from opsloop.core.errors import shown
from opsloop.llm.errors import ModelGarbled, ModelRefused, ModelUnavailable
from opsloop.llm.port import Completion, Message, Usage
from opsloop.llm.retrying import RETRYABLE, Patience, retry_after_s


class OpenAICompatible:
    """A chat provider behind `base_url`, e.g. `https://api.openai.com/v1`.

    Args:
        timeout_s: longest silence of the server.
        transport: what carries requests, for tests.
        pause: how to wait between tries, for tests.
    """

    engine = "openai-compatible"

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        model: str,
        timeout_s: float = 120.0,
        patience: Patience | None = None,
        clock: Clock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.model = model
        self._headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout = httpx.Timeout(timeout_s, connect=10.0)
        self._patience = patience or Patience()
        self._clock = clock or SystemClock()
        self._transport = transport
        self._pause = pause
        # A connection belongs to the loop it was opened on; a process may have several loops.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"OpenAICompatible({self.base_url!r}, model={self.model!r})"  # the key stays out

    async def chat(self, messages: Sequence[Message], **parameters: Any) -> Completion:
        response = await self._post(self._body(messages, parameters))
        try:
            return self._completion(json.loads(await response.aread()))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._garbled(error) from error
        finally:
            await response.aclose()

    async def stream(self, messages: Sequence[Message], **parameters: Any) -> AsyncIterator[str | Completion]:
        body = self._body(messages, parameters)
        response = await self._post({**body, "stream": True, "stream_options": {"include_usage": True}})
        gathered = _Gathered(str(body["model"]))
        try:
            async for line in response.aiter_lines():
                if not line.startswith("data:"):
                    continue
                data = line[5:].strip()
                if data == "[DONE]":
                    break
                if piece := gathered.add(json.loads(data)):
                    yield piece
        except httpx.HTTPError as error:
            raise ModelUnavailable(base_url=self.base_url, what=f"broke off its answer ({error!r})") from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._garbled(error) from error
        finally:
            await response.aclose()
        yield gathered.completion()

    async def aclose(self) -> None:
        """Close this loop's connections."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def _body(self, messages: Sequence[Message], parameters: dict[str, Any]) -> dict[str, Any]:
        set_ones = {key: value for key, value in parameters.items() if value is not None}
        return {"model": self.model, **set_ones, "messages": list(messages)}

    def _client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            limits = httpx.Limits(max_connections=256, max_keepalive_connections=128)
            client = httpx.AsyncClient(
                headers=self._headers, timeout=self._timeout, limits=limits, transport=self._transport
            )
            self._clients[loop] = client
        return client

    async def _post(self, body: dict[str, Any]) -> httpx.Response:
        """The response, opened, once the server takes the call."""
        attempt = 0
        while True:
            asked_wait_s = None
            try:
                client = self._client()
                request = client.build_request("POST", f"{self.base_url}/chat/completions", json=body)
                response = await client.send(request, stream=True)
            except httpx.TransportError as error:
                trouble = ModelUnavailable(base_url=self.base_url, what=f"cannot be reached ({_said(error)})")
            else:
                if response.status_code < 400:
                    return response
                reason = await self._reason(response)
                if response.status_code not in RETRYABLE:
                    raise ModelRefused(base_url=self.base_url, status=response.status_code, reason=reason)
                asked_wait_s = retry_after_s(response.headers.get("retry-after"), self._clock.now())
                what = f"answers with status {response.status_code}: {reason}"
                trouble = ModelUnavailable(base_url=self.base_url, what=what, status=response.status_code)
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

    def _completion(self, data: dict[str, Any]) -> Completion:
        choice = data["choices"][0]
        message = choice["message"]
        return Completion(
            text=message.get("content") or "",
            model=str(data.get("model") or self.model),
            usage=_usage(data.get("usage")),
            finish_reason=choice.get("finish_reason") or "stop",
            message=message,
        )

    def _garbled(self, error: Exception) -> ModelGarbled:
        return ModelGarbled(base_url=self.base_url, reason=f"{type(error).__name__} {error}")


class _Gathered:
    """The pieces of a streamed answer, put together."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.parts: list[str] = []
        self.tool_calls: list[dict[str, Any]] = []
        self.usage: Usage | None = None
        self.finish_reason = "stop"

    def add(self, chunk: dict[str, Any]) -> str:
        """Take one chunk; the text in it."""
        self.model = chunk.get("model") or self.model
        self.usage = _usage(chunk.get("usage")) or self.usage
        if not chunk.get("choices"):
            return ""
        choice = chunk["choices"][0]
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        delta = choice.get("delta") or {}
        for part in delta.get("tool_calls") or []:
            self._add_tool_call(part)
        text = delta.get("content") or ""
        self.parts.append(text)
        return str(text)

    def _add_tool_call(self, part: dict[str, Any]) -> None:
        index = int(part.get("index", 0))
        while len(self.tool_calls) <= index:
            self.tool_calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
        call = self.tool_calls[index]
        call["id"] = part.get("id") or call["id"]
        for key in ("name", "arguments"):
            call["function"][key] += (part.get("function") or {}).get(key) or ""

    def completion(self) -> Completion:
        text = "".join(self.parts)
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if self.tool_calls:
            message["tool_calls"] = self.tool_calls
        return Completion(text, self.model, self.usage, self.finish_reason, message)


def _usage(data: dict[str, Any] | None) -> Usage | None:
    if not data or data.get("prompt_tokens") is None:
        return None
    return Usage(int(data["prompt_tokens"]), int(data.get("completion_tokens") or 0))


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
