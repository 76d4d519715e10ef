"""HTTP: telemetry of other services, by the OpenTelemetry protocol."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import OpsloopError, Unavailable
from opsloop.core.web.dependencies import Asking, Opened
from opsloop.core.web.problems import headers_for, status_of
from opsloop.core.web.router import Router
from opsloop.core.workspace import Workspace
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.telemetry import storing
from opsloop.monitoring.telemetry.otlp import bodies, logs, metrics, spans
from opsloop.monitoring.telemetry.otlp.rejecting import Rejected

router = Router(tags=["telemetry"])
PATHS = frozenset({"/v1/traces", "/v1/logs", "/v1/metrics"})
AT_ONCE = 4
"""Requests that are stored at once: the database has one writer, and a thread held by each that waits for it."""
WAITING = 64


class TelemetryBusy(Unavailable):
    template = "more telemetry is arriving than can be stored; send it again in a moment"


class _Gate:
    """Lets so many in, and so many wait; more are asked to come again."""

    def __init__(self) -> None:
        self._inside = asyncio.Semaphore(AT_ONCE)
        self._count = 0

    async def __aenter__(self) -> None:
        if self._count >= WAITING:
            raise TelemetryBusy()
        self._count += 1
        try:
            await self._inside.acquire()
        except BaseException:
            self._count -= 1
            raise

    async def __aexit__(self, *_: object) -> None:
        self._count -= 1
        self._inside.release()


_BODY = {"requestBody": {"content": {each: {"schema": {"type": "object"}} for each in (bodies.JSON, bodies.PROTOBUF)}}}


@router.post("/v1/traces", openapi_extra=_BODY)
async def take_traces(request: Request, workspace: Opened, by: Asking) -> Response:
    """Store spans: an ExportTraceServiceRequest as protobuf or JSON, also gzipped."""
    return await _answer(request, workspace, by)


@router.post("/v1/logs", openapi_extra=_BODY)
async def take_logs(request: Request, workspace: Opened, by: Asking) -> Response:
    """Store log records: an ExportLogsServiceRequest as protobuf or JSON, also gzipped."""
    return await _answer(request, workspace, by)


@router.post("/v1/metrics", openapi_extra=_BODY)
async def take_metrics(request: Request, workspace: Opened, by: Asking) -> Response:
    """Store points of metrics: an ExportMetricsServiceRequest as protobuf or JSON, also gzipped."""
    return await _answer(request, workspace, by)


def refusal(error: OpsloopError, content_type: str) -> Response:
    """An error as the protocol has it, in the encoding of the request."""
    media_type = bodies.media_type_of(content_type) or bodies.PROTOBUF
    # What cannot be read is a 400 here, which tells senders not to try again.
    http_status = {422: 400}.get(status_of(error), status_of(error))
    body = bodies.status(http_status, error.sentence, media_type)
    return Response(body, status_code=http_status, media_type=media_type, headers=headers_for(http_status))


async def _answer(request: Request, workspace: Workspace, by: Caller) -> Response:
    named = request.headers.get("content-type", "")
    media_type = bodies.media_type_of(named)
    if media_type is None:
        sentence = f"content-type: is {named[:80]!r}; wanted {bodies.PROTOBUF} or {bodies.JSON}"
        return Response(bodies.status(415, sentence, bodies.PROTOBUF), status_code=415, media_type=bodies.PROTOBUF)
    try:
        by.require(Role.VIEWER)
        body = await request.body()
        encoding = request.headers.get("content-encoding", "")
        async with _gate(request):
            path = request.url.path
            answer = await run_in_threadpool(take, path, workspace, by, body, media_type, encoding=encoding)
        return Response(answer, media_type=media_type)
    except OpsloopError as error:
        return refusal(error, named)


def take(path: str, workspace: Workspace, by: Caller, body: bytes, media_type: str, *, encoding: str = "") -> bytes:
    """Store what a request to one of PATHS holds; the body of the answer. Raises: InvalidInput, TelemetryTooLarge."""
    taken = {"/v1/traces": _traces, "/v1/logs": _logs, "/v1/metrics": _metrics}[path]
    unpacked = bodies.unpacked(body, encoding, limit=workspace.settings.body_limit_bytes)
    return taken(workspace, by, unpacked, media_type)


def _gate(request: Request) -> _Gate:
    state = request.app.state
    if not hasattr(state, "telemetry_gate"):
        state.telemetry_gate = _Gate()
    gate: _Gate = state.telemetry_gate
    return gate


def _traces(workspace: Workspace, by: Caller, body: bytes, media_type: str) -> bytes:
    # Protobuf is loaded with the first request that needs it.
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

    rejected = Rejected()
    found = spans.records(bodies.decoded(service.ExportTraceServiceRequest, body, media_type), rejected)
    if found:
        with workspace.writing(by) as uow:
            storing.spans(uow, found)
    answer = service.ExportTraceServiceResponse()
    return _told(answer, "rejected_spans", rejected, media_type)


def _logs(workspace: Workspace, by: Caller, body: bytes, media_type: str) -> bytes:
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as service

    rejected = Rejected()
    request = bodies.decoded(service.ExportLogsServiceRequest, body, media_type)
    found = logs.records(request, rejected, now_us=microseconds(workspace.clock.now()))
    if found:
        with workspace.writing(by) as uow:
            storing.logs(uow, found)
    return _told(service.ExportLogsServiceResponse(), "rejected_log_records", rejected, media_type)


def _metrics(workspace: Workspace, by: Caller, body: bytes, media_type: str) -> bytes:
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as service

    rejected = Rejected()
    found = metrics.points(bodies.decoded(service.ExportMetricsServiceRequest, body, media_type), rejected)
    if found:
        with workspace.writing(by) as uow:
            storing.points(uow, found)
    return _told(service.ExportMetricsServiceResponse(), "rejected_data_points", rejected, media_type)


def _told(answer: Any, field: str, rejected: Rejected, media_type: str) -> bytes:
    if rejected.count:
        setattr(answer.partial_success, field, rejected.count)
        answer.partial_success.error_message = rejected.reason
    return bodies.encoded(answer, media_type)
