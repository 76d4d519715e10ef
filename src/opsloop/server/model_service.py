"""One model as a service: `POST /predict`, `/v2/…`, `/health`, `/ready`, `/metrics`."""

from __future__ import annotations

import asyncio
import re
import secrets
import signal
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, cast

import msgspec
import structlog
import uvicorn
from starlette.types import Receive, Scope, Send

from opsloop._version import __version__
from opsloop.core.clock import SystemClock
from opsloop.core.errors import InvalidInput, OpsloopError, Unauthenticated
from opsloop.core.ids import Ids, RandomIds
from opsloop.core.settings import CoreSettings, read
from opsloop.core.telemetry import logging
from opsloop.gateway.bodies import CallerGone, header
from opsloop.gateway.calls import Call
from opsloop.gateway.errors import NoSuchRoute, WentWrong
from opsloop.gateway.outlet import Outlet
from opsloop.gateway.predicting import answers, infer, predict
from opsloop.gateway.predicting.keeping import Keeping
from opsloop.gateway.predicting.log_lines import LogLines
from opsloop.gateway.predicting.predictor import Predictor
from opsloop.gateway.refusing import refuse
from opsloop.gateway.settings import GatewaySettings
from opsloop.guardrails.redaction import log_redactor
from opsloop.models.runtime import LoadedModel
from opsloop.monitoring import metrics
from opsloop.monitoring.drift.hooks import Hook
from opsloop.monitoring.drift.lone import LoneWatch
from opsloop.monitoring.drift.options import DriftOptions
from opsloop.server.authentication import is_loopback
from opsloop.server.garbage import spare_collections
from opsloop.server.inference.listening import InferenceSettings, over_grpc
from opsloop.server.one_model import OneModel
from opsloop.server.serving import KEEP_ALIVE_S, listen, loop_factory, url_of
from opsloop.server.short_protocol import ShortProtocol

log = structlog.get_logger()
DRAIN_S = 20
OPEN_PATHS = frozenset({"/health", "/ready", "/metrics", "/v2/health/live", "/v2/health/ready"})
KEY = "OPSLOOP_SERVE_KEY"
_ASKED = ("POST",)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class KeyNeeded(Unauthenticated):
    template = "this service takes requests with its key: Authorization: Bearer KEY"


class NoRouteHere(NoSuchRoute):
    template = (
        "no route {method} {path}; this service has POST /predict, /v2/models/{model}, /health, /ready and /metrics"
    )


class OpenService(InvalidInput):
    template = "serving a model on {host} would let everybody in: set " + KEY + ", or listen on 127.0.0.1"


class ModelService:
    """An ASGI application that serves one model, and who is let in.

    Args:
        key: what callers must show; None lets everybody in.
    """

    def __init__(self, model: OneModel, *, key: str | None, ids: Ids) -> None:
        self._model = model
        self._ids = ids
        self._bearer = None if key is None else f"Bearer {key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = header(scope, b"x-request-id") or ""
        request_id = given if _REQUEST_ID.fullmatch(given) else self._ids.new("req")
        call = Call(scope, receive, Outlet(send, request_id), request_id)
        try:
            await self._answer(call)
        except CallerGone:
            log.debug("caller_gone")
        except OpsloopError as error:
            await refuse(call, error)
        except Exception:  # the rim of the process: say that it failed, keep the identity of the request
            log.exception("request_failed", request=request_id, path=scope["path"])
            await refuse(call, WentWrong(request=request_id))

    def name_of(self, authorization: bytes | None, host: bytes | None) -> str | None:
        """Who calls, for the short way: somebody, or nobody who is let in."""
        return "somebody" if self._lets_in(authorization or b"") else None

    def _lets_in(self, shown: bytes) -> bool:
        return self._bearer is None or secrets.compare_digest(shown, self._bearer)

    async def _answer(self, call: Call) -> None:
        path, method = call.scope["path"], call.scope["method"]
        if path not in OPEN_PATHS and not self._lets_in((header(call.scope, b"authorization") or "").encode("latin-1")):
            raise KeyNeeded()
        wanted = _methods(path)
        if not wanted:
            raise NoRouteHere(method=method, path=path, model=self._model.default_model)
        if method not in wanted:
            error = NoSuchRoute(f"{path} takes {wanted[0]}, not {method}")
            await refuse(call, error, status=405, headers=[(b"allow", ", ".join(wanted).encode())])
        elif wanted == _ASKED and not path.startswith(infer.PREFIX):
            await predict.predict(self._model, call)
        elif path.startswith(infer.PREFIX):
            await infer.infer(self._model, call)
        elif path == "/metrics":
            await call.out.whole(200, metrics.render(), content_type=metrics.MEDIA_TYPE.encode())
        else:
            said = "ok" if path == "/health" else "ready"
            await call.out.whole(200, msgspec.json.encode({"status": said, "version": __version__}))


def _methods(path: str) -> Sequence[str]:
    """What a path takes; nothing for a path that this service does not have."""
    if path == answers.PATH or (path.startswith(answers.PREFIX) and path.endswith(answers.SUFFIX)):
        return _ASKED
    if path == infer.PREFIX or path.startswith(f"{infer.PREFIX}/"):
        return _ASKED if path.endswith(infer.INFER) else ("GET",)
    return ("GET", "HEAD") if path in ("/health", "/ready", "/metrics") else ()


def serve(
    model: LoadedModel,
    settings: CoreSettings,
    *,
    name: str,
    serves: str,
    drift: DriftOptions,
    hook: Hook | None,
    key: str | None,
    log_share: float | None,
    ready: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is under way.

    Args:
        log_share: of answers that get a line on stdout; None: as the setting says, else all.
        ready: called with the address once it answers.
    Raises: OpenService, PortInUse, AddressUnusable.
    """
    if key is None and not is_loopback(settings.host):
        raise OpenService(host=settings.host)
    logging.configure(level=settings.log_level, form=settings.log_format, redact=log_redactor())
    listener = listen(settings)
    gateway, ids, clock = read(GatewaySettings), RandomIds(), SystemClock()
    lines = LogLines(1.0 if log_share is None else log_share)
    watch = LoneWatch(model, drift, endpoint=name, serves=serves, hook=hook, clock=clock, ids=ids)
    one = OneModel(
        Predictor(model, watch, rows=gateway.predict_rows),
        Keeping(0, lines.add),
        gateway,
        name=name,
        serves=serves,
        body_limit_bytes=settings.body_limit_bytes,
        clock=clock,
        ids=ids,
    )
    app = ModelService(one, key=key, ids=ids)
    http: Any = partial(ShortProtocol, shortcut=one.shortcut, door=app, limit_bytes=settings.body_limit_bytes)
    config = uvicorn.Config(
        app,
        lifespan="off",
        access_log=False,
        log_config=None,
        http=cast(type[asyncio.Protocol], http),
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
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, setattr, server, "should_exit", True)
        async with over_grpc(app, settings, read(InferenceSettings).grpc_port):
            spare_collections()
            ready(url_of(listener))
            await server.serve(sockets=[listener])

    lines.start()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(run())
    finally:
        watch.close()
        lines.stop()
