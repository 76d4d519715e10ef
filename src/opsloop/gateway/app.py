"""The gateway: plain ASGI. It finds the route, turns errors into answers, starts and drains."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from opentelemetry.context import attach, detach
from opentelemetry.trace import StatusCode, set_span_in_context
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from opsloop.core.context import current_workspace
from opsloop.core.errors import OpsloopError
from opsloop.core.telemetry.collecting import CollectedSpan
from opsloop.core.workspace import Workspace
from opsloop.gateway import chat, embeddings, invoke, models
from opsloop.gateway.bodies import CallerGone, header
from opsloop.gateway.calls import Call
from opsloop.gateway.errors import Draining, NoSuchRoute, Overloaded, WentWrong
from opsloop.gateway.outlet import Outlet
from opsloop.gateway.predicting import answers, infer, predict
from opsloop.gateway.predicting.keeping import Keeping
from opsloop.gateway.predicting.log_lines import LogLines
from opsloop.gateway.refusing import refuse
from opsloop.gateway.serving import Serving
from opsloop.gateway.settings import GatewaySettings
from opsloop.limits.pool import Pool
from opsloop.monitoring import metrics
from opsloop.monitoring.beside import Beside
from opsloop.monitoring.recorder import Recorder
from opsloop.monitoring.settings import MonitoringSettings
from opsloop.monitoring.subjects import subjects
from opsloop.monitoring.telemetry.keeping import Keeping as Traces

log = structlog.get_logger()
Route = Callable[[Serving, Call], Awaitable[None]]
_ENDPOINTS = "/endpoints/"


class Gateway:
    """An ASGI application for the paths that it `owns`; `start` before the first request, `drain` after the last."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._settings = workspace.section(GatewaySettings)
        self._recorder = Recorder(workspace)
        self.traces = Traces(workspace)
        self._lines = LogLines(self._settings.predict_log)
        keeping = Keeping(workspace.section(MonitoringSettings).predictions_kept_rows, self._lines.add)
        self._serving = Serving(workspace, self._recorder, subjects(workspace), keeping)
        self.shortcut = self._serving.shortcut()
        self._under_way: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_draining = False

    @property
    def others(self) -> Beside:
        """Where the use of requests is counted that no endpoint answers."""
        return self._serving.others

    @property
    def limits(self) -> Pool:
        """What keys and endpoints may use, as far as this process holds it."""
        return self._serving.limits

    def owns(self, path: str) -> bool:
        """Whether a path is the data plane's."""
        return _route_of(path) is not None

    async def start(self) -> None:
        """Store what an earlier process left in the spool, and have the releases loaded that serve now."""
        self._recorder.start()
        self.traces.start()
        self._lines.start()
        await run_in_threadpool(self._serving.limits.start)
        await run_in_threadpool(self._serving.routes.start)

    async def drain(self, timeout_s: float) -> None:
        """Take no more requests, finish those that are under way, cut off the rest, store the records."""
        self._is_draining = True
        self.shortcut.is_open = False
        self.shortcut.flush()
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            for task in self._under_way:
                task.cancel()
            if self._under_way:  # the last one may have ended in the same moment as the time
                await asyncio.wait(set(self._under_way))
        await self._serving.copies.drain()
        await run_in_threadpool(self._stop)

    def _stop(self) -> None:
        self._serving.routes.stop()
        self._serving.arms.close()
        self._serving.limits.stop()
        self._recorder.stop()
        self.traces.stop()
        self._lines.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = scope.get("opsloop.request_id") or self._workspace.ids.new("req")
        call = Call(scope, receive, Outlet(send, request_id), request_id)
        task = asyncio.current_task()
        assert task is not None
        self._enter(task)
        span = self._traced(scope, request_id)
        traced = None if span is None else attach(set_span_in_context(span))
        token = current_workspace.set(self._workspace)
        try:
            await self._answer(call)
        except CallerGone:
            log.debug("caller_gone")
        except asyncio.CancelledError:
            if not self._is_draining:
                raise
            task.uncancel()
            await refuse(call, Draining())
        except OpsloopError as error:
            await refuse(call, error)
        except Exception:  # the rim of the process: say that it failed, keep the identity of the request
            log.exception("request_failed", request=request_id, path=scope["path"])
            if span is not None:
                span.set_status(StatusCode.ERROR)
            await refuse(call, WentWrong(request=request_id))
        finally:
            current_workspace.reset(token)
            if span is not None and traced is not None:
                detach(traced)
                self.traces.end(span)
            self._leave(task)

    def _traced(self, scope: Scope, request_id: str) -> CollectedSpan | None:
        """The span of a request that asks an endpoint for something."""
        if scope["method"] != "POST":
            return None
        span = self.traces.begin(_span_name(scope), header(scope, b"traceparent"))
        span.set_attribute("opsloop.request_id", request_id)
        span.set_attribute("http.request.method", "POST")
        return span

    async def _answer(self, call: Call) -> None:
        route = _route_of(call.scope["path"])
        method = call.scope["method"]
        if route is None:
            raise NoSuchRoute(method=method, path=call.scope["path"])
        wanted, handler = route
        if method != wanted:
            await self._wrong_method(call, wanted)
            return
        if self._is_draining:
            raise Draining()
        if len(self._under_way) > self._settings.gateway_max_waiting:
            raise Overloaded(limit=self._settings.gateway_max_waiting)
        await handler(self._serving, call)

    def _enter(self, task: asyncio.Task[None]) -> None:
        self._under_way.add(task)
        self._idle.clear()
        metrics.in_flight.inc()

    def _leave(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        metrics.in_flight.dec()
        if not self._under_way:
            self._idle.set()

    async def _wrong_method(self, call: Call, wanted: str) -> None:
        error = NoSuchRoute(f"{call.scope['path']} takes {wanted}, not {call.scope['method']}")
        await refuse(call, error, status=405, headers=[(b"allow", wanted.encode())])


def _span_name(scope: Scope) -> str:
    """Of few values, as names of spans are to be: endpoints are told by an attribute."""
    path: str = scope["path"]
    if path.startswith(_ENDPOINTS):
        path = f"{_ENDPOINTS}{{name}}/{path.rpartition('/')[2]}"
    return f"{scope['method']} {path}"


def _route_of(path: str) -> tuple[str, Route] | None:
    if path == chat.PATH:
        return "POST", chat.complete
    if path == embeddings.PATH:
        return "POST", embeddings.embed
    if path == models.PATH or path.startswith(f"{models.PATH}/"):
        return "GET", models.models
    if path.startswith(invoke.PREFIX) and path.endswith(invoke.SUFFIX):
        return "POST", invoke.invoke
    if path == answers.PATH or (path.startswith(answers.PREFIX) and path.endswith(answers.SUFFIX)):
        return "POST", predict.predict
    if path == infer.PREFIX or path.startswith(f"{infer.PREFIX}/"):
        return ("POST" if path.endswith(infer.INFER) else "GET"), infer.infer
    return None
