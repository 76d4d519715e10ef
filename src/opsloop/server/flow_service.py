"""One flow as a service, with the routes of Prompt flow's: `POST /score`, `/health`, `/version`, `/swagger.json`."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from typing import Any

import msgspec
import structlog
import uvicorn
from starlette.types import Receive, Scope, Send

from opsloop._version import __version__
from opsloop.core.errors import InvalidInput, Kind, OpsloopError, Unauthenticated
from opsloop.core.ids import Ids
from opsloop.core.settings import CoreSettings
from opsloop.core.telemetry import logging
from opsloop.core.web.json_body import decoded
from opsloop.core.web.problems import status_of
from opsloop.flows.loaded import LoadedFlow
from opsloop.flows.models import Flow, ValueType
from opsloop.flows.results import TextDelta
from opsloop.flows.values import plain
from opsloop.gateway.bodies import CallerGone, body_of, header
from opsloop.gateway.errors import NoSuchRoute, WentWrong
from opsloop.gateway.outlet import Outlet, event
from opsloop.gateway.spoken import spoken
from opsloop.guardrails.redaction import log_redactor
from opsloop.server.authentication import is_loopback
from opsloop.server.protocol import Protocol
from opsloop.server.serving import KEEP_ALIVE_S, listen, loop_factory, url_of

log = structlog.get_logger()
BODY_TIMEOUT_S = 30.0
DRAIN_S = 20
_object = msgspec.json.Decoder(dict[str, Any])


class KeyNeeded(Unauthenticated):
    template = "this service takes requests with its key: Authorization: Bearer KEY"


class OpenFlow(InvalidInput):
    template = "flow serve on {host} would let everybody in: set OPSLOOP_FLOW_KEY, or listen on 127.0.0.1"


class FlowService:
    """An ASGI application that runs one flow.

    Args:
        key: what callers must show; None lets everybody in.
    """

    def __init__(self, flow: LoadedFlow, *, key: str | None, body_limit_bytes: int, ids: Ids) -> None:
        self._flow = flow
        self._key = key
        self._body_limit_bytes = body_limit_bytes
        self._ids = ids
        self._routes: Mapping[tuple[str, str], Callable[[Scope, Receive, Outlet], Awaitable[None]]] = {
            ("POST", "/score"): self._score,
            ("POST", "/feedback"): self._feedback,
            ("GET", "/health"): self._health,
            ("GET", "/version"): self._version,
            ("GET", "/swagger.json"): self._swagger,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = self._ids.new("req")
        out = Outlet(send, request_id)
        try:
            await self._answer(scope, receive, out)
        except CallerGone:
            log.debug("caller_gone")
        except OpsloopError as error:
            log.info("request_refused", request=request_id, path=scope["path"], reason=error.sentence)
            await self._refuse(out, spoken(error, request_id))
        except Exception:  # the rim of the process
            log.exception("request_failed", request=request_id, path=scope["path"])
            await self._refuse(out, WentWrong(request=request_id))

    async def _answer(self, scope: Scope, receive: Receive, out: Outlet) -> None:
        route = self._routes.get((scope["method"], scope["path"]))
        if route is None:
            raise NoSuchRoute(method=scope["method"], path=scope["path"])
        if self._key is not None and scope["path"] != "/health" and not self._knows(scope):
            raise KeyNeeded()
        await route(scope, receive, out)

    def _knows(self, scope: Scope) -> bool:
        shown = (header(scope, b"authorization") or "").encode("latin-1", "replace")
        return secrets.compare_digest(shown, f"Bearer {self._key}".encode())

    async def _score(self, scope: Scope, receive: Receive, out: Outlet) -> None:
        inputs = decoded(_object, await self._body(scope, receive))
        if "text/event-stream" not in (header(scope, b"accept") or ""):
            result = await self._flow.run(inputs)
            await out.whole(200, _encoded(result.outputs))
            return
        name = self._flow.chat_output or "output"
        async for each in self._flow.stream(inputs):
            if not out.is_open:
                await out.open_stream()
            if isinstance(each, TextDelta):
                await out.write(event(_encoded({name: each.text})))
            else:
                rest = {key: value for key, value in each.outputs.items() if key != name}
                await out.write(event(_encoded(rest)) if rest else b"", is_last=True)

    async def _feedback(self, scope: Scope, receive: Receive, out: Outlet) -> None:
        given = decoded(_object, await self._body(scope, receive))
        log.info("feedback", flow=self._flow.name, feedback=plain(given))
        await out.whole(200, b'"Feedback received"')

    async def _health(self, scope: Scope, receive: Receive, out: Outlet) -> None:
        await out.whole(200, _encoded({"status": "Healthy", "version": __version__}))

    async def _version(self, scope: Scope, receive: Receive, out: Outlet) -> None:
        await out.whole(200, _encoded({"status": "Healthy", "build_info": {"version": __version__}}))

    async def _swagger(self, scope: Scope, receive: Receive, out: Outlet) -> None:
        await out.whole(200, _encoded(described(self._flow.flow)))

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        return await body_of(scope, receive, limit=self._body_limit_bytes, timeout_s=BODY_TIMEOUT_S)

    async def _refuse(self, out: Outlet, error: OpsloopError) -> None:
        """In the form of Prompt flow's service."""
        status = status_of(error)
        code = "UserError" if status < 500 else "SystemError"
        headers = [(b"connection", b"close")] if error.kind is Kind.TOO_LARGE else []
        document = _encoded({"error": {"code": code, "message": error.sentence}})
        if out.is_open:
            await out.write(event(document, name=b"error"), is_last=True)
        else:
            await out.whole(status, document, headers=headers)


def described(flow: Flow) -> dict[str, Any]:
    """The service's OpenAPI document, made from the flow's inputs and outputs."""
    needed = [name for name, each in flow.inputs.items() if not each.has_default]
    taken = {
        "type": "object",
        "properties": {
            name: {**_schema(each.type), **({"default": plain(each.default)} if each.default is not None else {})}
            for name, each in flow.inputs.items()
        },
        **({"required": needed} if needed else {}),
    }
    properties = {name: _schema(each.type) for name, each in flow.outputs.items()}
    given = {"description": "The outputs", "content": _json({"type": "object", "properties": properties})}
    score = {
        "summary": f"Run {flow.name}",
        "requestBody": {"required": True, "content": _json(taken)},
        "responses": {"200": given, "400": {"description": "The inputs are wrong"}},
    }
    about = {"title": flow.name, "version": __version__}
    return {"openapi": "3.0.3", "info": about, "paths": {"/score": {"post": score}}}


def serve(flow: LoadedFlow, settings: CoreSettings, *, key: str | None, ids: Ids, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is under way.

    Args:
        ready: called with the address once it answers.
    Raises: OpenFlow, PortInUse, AddressUnusable.
    """
    if key is None and not is_loopback(settings.host):
        raise OpenFlow(host=settings.host)
    logging.configure(level=settings.log_level, form=settings.log_format, redact=log_redactor())
    listener = listen(settings)
    app = FlowService(flow, key=key, body_limit_bytes=settings.body_limit_bytes, ids=ids)
    config = uvicorn.Config(
        app,
        lifespan="off",
        access_log=False,
        log_config=None,
        http=Protocol,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
        server_header=False,
    )
    server = uvicorn.Server(config)
    # uvicorn would raise the signal again when it has stopped.
    server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, setattr, server, "should_exit", True)
        ready(url_of(listener))
        await server.serve(sockets=[listener])

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(run())


_SCHEMAS: Mapping[ValueType, dict[str, Any]] = {
    ValueType.INT: {"type": "integer"},
    ValueType.DOUBLE: {"type": "number"},
    ValueType.BOOL: {"type": "boolean"},
    ValueType.LIST: {"type": "array", "items": {}},
    ValueType.OBJECT: {"type": "object", "additionalProperties": {}},
    ValueType.ANY: {},
    ValueType.IMAGE: {"type": "object", "additionalProperties": {}},
}


def _schema(type: ValueType) -> dict[str, Any]:
    return _SCHEMAS.get(type, {"type": "string"})


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _encoded(value: Any) -> bytes:
    return msgspec.json.encode(plain(value))
