"""The ASGI app of the model server: a request in, the answer or the scripted fault out, every call counted."""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from opsloop.core.clock import Clock, SystemClock
from opsloop.core.errors import InvalidInput, NotFound, OpsloopError, TooLarge, Unauthenticated
from opsloop.testing import wire
from opsloop.testing.calls import Call, Calls
from opsloop.testing.latency import Latency, drawn_ms
from opsloop.testing.reply import Reply, reply_of, whole
from opsloop.testing.routes import MODELS, Route, route_of
from opsloop.testing.script import Script, rules_in
from opsloop.testing.wire import Asker

BODY_LIMIT_BYTES = 128 * 1024 * 1024
MODEL_NAMES = ("gpt-4o", "gpt-4o-mini", "gpt-4", "gpt-35-turbo", "text-embedding-3-small", "text-embedding-3-large")


class CallerGone(Exception):
    pass


@dataclass(eq=False)
class App:
    """One model server, without the wire. All of it runs on one event loop.

    Args:
        latency_ms: how long every answer takes, unless a rule says otherwise.
        chunk_ms: pause before each event of a stream after the first.
        seed: with which latencies are drawn.
        api_key: what callers must show; None lets everybody in.
    """

    script: Script = field(default_factory=Script)
    latency_ms: Latency = 0.0
    chunk_ms: float = 0.0
    seed: int = 0
    api_key: str | None = None
    body_limit_bytes: int = BODY_LIMIT_BYTES
    clock: Clock = field(default_factory=SystemClock)
    calls: Calls = field(default_factory=Calls)
    _sleepers: set[asyncio.Future[None]] = field(default_factory=set)
    _stopping: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"].rstrip("/")
        route = route_of(path)
        try:
            if route is None:
                reply = await self._other(path, scope, receive)
                await _deliver(reply, send)
            else:
                await self._call(route, scope, receive, send)
        except CallerGone:
            return

    def stop(self) -> None:
        """End every wait: nobody will read the answers."""
        self._stopping = True
        for sleeper in self._sleepers:
            if not sleeper.done():
                sleeper.set_result(None)

    async def _call(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        call = self.calls.begin(route.endpoint)
        try:
            reply = await self._reply(route, call, scope, receive)
            if reply.never or reply.breaks_after is not None:
                await self._break_off(reply, scope, receive, send)
                return
            call.status = reply.status
            if reply.chunk_s and len(reply.parts) > 1:
                await self._deliver_slowly(reply, send)
            else:
                await _deliver(reply, send)
        finally:
            self.calls.end(call)

    async def _reply(self, route: Route, call: Call, scope: Scope, receive: Receive) -> Reply:
        body = b""
        try:
            body = await _body_of(receive, self.body_limit_bytes)
            self._check_way_in(route, scope)
            asked = route.read(body)
            model = route.deployment or asked.model
            self.calls.received(call, model=model, body=body)
            if model is None:
                raise InvalidInput("model: is missing; wanted a value", field="model")
            rule = (
                self.script.next_for(endpoint=route.endpoint, model=model, stream=asked.streams, texts=asked.texts)
                if self.script.rules
                else None
            )
            asker = Asker(call.digest[:24], model, azure=route.deployment is not None)
            reply = reply_of(asked, asker, rule, now=self.clock.now(), chunk_s=self.chunk_ms / 1000)
            latency_ms = self.latency_ms if rule is None or rule.latency_ms is None else rule.latency_ms
        except (OpsloopError, RecursionError) as error:
            if not call.digest:
                self.calls.received(call, model=route.deployment, body=body)
            return whole(*wire.refusal(error if isinstance(error, OpsloopError) else _too_deep()))
        times = self.calls.by_digest[call.digest]
        await self._sleep(drawn_ms(latency_ms, digest=call.digest, times=times, seed=self.seed) / 1000)
        return reply

    def _check_way_in(self, route: Route, scope: Scope) -> None:
        if self.api_key is not None:
            self._check_key(scope)
        if scope["method"] != "POST":
            raise InvalidInput(f"{scope['method']} is not answered here; use POST", code="method_not_allowed")
        if route.deployment is not None and b"api-version=" not in scope["query_string"]:
            raise NotFound("Resource not found: api-version is missing from the query", code="404")

    def _check_key(self, scope: Scope) -> None:
        headers = dict(scope["headers"])
        given = headers.get(b"api-key") or headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        if not given:
            raise Unauthenticated("You didn't provide an API key.", code="missing_api_key")
        if not hmac.compare_digest(given, (self.api_key or "").encode()):
            raise Unauthenticated("Incorrect API key provided.", code="invalid_api_key")

    async def _sleep(self, seconds: float) -> None:
        if seconds <= 0 or self._stopping:
            return
        loop = asyncio.get_running_loop()
        sleeper = loop.create_future()
        timer = loop.call_later(seconds, _wake, sleeper)
        self._sleepers.add(sleeper)
        try:
            await sleeper
        finally:
            timer.cancel()
            self._sleepers.discard(sleeper)

    async def _break_off(self, reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what the reply lets out, then close; or wait until the caller has had enough."""
        if not reply.never:
            if reply.breaks_after:
                await _start(reply, send)
            for at, part in enumerate(reply.parts[: reply.breaks_after]):
                if at:
                    await self._sleep(reply.chunk_s)
                await send({"type": "http.response.body", "body": part, "more_body": True})
            scope["opsloop.transport"].close()
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _deliver_slowly(self, reply: Reply, send: Send) -> None:
        await _start(reply, send)
        for at, part in enumerate(reply.parts):
            if at:
                await self._sleep(reply.chunk_s)
            await send({"type": "http.response.body", "body": part, "more_body": at + 1 < len(reply.parts)})

    async def _other(self, path: str, scope: Scope, receive: Receive) -> Reply:
        """The list of models, and what tests ask and tell the server itself."""
        try:
            body = await _body_of(receive, self.body_limit_bytes)
            if path in MODELS or path == "/openai/models":
                if self.api_key is not None:
                    self._check_key(scope)
                return whole(200, _models())
            return whole(200, wire.encode(self._told(f"{scope['method']} {path}", body)))
        except OpsloopError as error:
            return whole(*wire.refusal(error))

    def _told(self, what: str, body: bytes) -> dict[str, Any]:
        match what:
            case "GET /_calls":
                return self.calls.document()
            case "POST /_reset":
                self.calls.reset()
                self.script.reset()
                return self.calls.document()
            case "POST /_script":
                self.script = Script(rules_in(_json(body)))
                return {"rules": len(self.script.rules)}
            case "GET /health" | "GET ":
                return {"status": "ok"}
        raise NotFound(f"Invalid URL ({what}); see the test server's page for what it answers", code="unknown_url")


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


async def _body_of(receive: Receive, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone
        size += len(message["body"])
        if size <= limit:
            pieces.append(message["body"])
        if not message["more_body"]:
            if size > limit:
                raise TooLarge(f"the body is over the limit of {limit} bytes; send less")
            return b"".join(pieces) if len(pieces) != 1 else pieces[0]


async def _start(reply: Reply, send: Send) -> None:
    headers = reply.headers
    if reply.length is not None:
        headers = [*headers, (b"content-length", b"%d" % reply.length)]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})


async def _deliver(reply: Reply, send: Send) -> None:
    await _start(reply, send)
    body = reply.parts[0] if len(reply.parts) == 1 else b"".join(reply.parts)
    await send({"type": "http.response.body", "body": body})


def _models() -> bytes:
    return wire.encode(
        {
            "object": "list",
            "data": [
                {"id": name, "object": "model", "created": wire.CREATED, "owned_by": "opsloop-testing"}
                for name in MODEL_NAMES
            ],
        }
    )


def _too_deep() -> InvalidInput:
    return InvalidInput("body: nested too deeply", field="body")


def _json(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidInput(f"body: not valid JSON: {error}", field="body") from None
