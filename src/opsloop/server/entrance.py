"""The entrance, plain ASGI in front of everything: request id, body limit, caller, problem documents, data plane."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, Protocol

import structlog
from opentelemetry.trace import StatusCode
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsloop.console.problem_page import problem_page, wants_page
from opsloop.core.caller import Caller, Role
from opsloop.core.errors import OpsloopError, TooLarge
from opsloop.core.telemetry.collecting import CollectedSpan
from opsloop.core.web import problems
from opsloop.core.workspace import Workspace
from opsloop.datasets.settings import DatasetSettings
from opsloop.gateway import openai
from opsloop.gateway.predicting import infer
from opsloop.limits.admission import admitted, key_of
from opsloop.limits.pool import Pool
from opsloop.llm.token_estimates import BYTES_PER_TOKEN
from opsloop.models.settings import ModelSettings
from opsloop.monitoring.beside import Answered, Beside
from opsloop.monitoring.telemetry.keeping import Keeping as Traces
from opsloop.monitoring.telemetry.otlp import api as telemetry
from opsloop.server.authentication import caller_of
from opsloop.server.door import Door

log = structlog.get_logger()
OPEN_PATHS = frozenset(
    {
        *("/health", "/ready", "/metrics", "/v2/health/live", "/v2/health/ready"),
        *("/sign-in", "/sign-out", "/favicon.ico"),
    }
)
JSON_PATHS = frozenset({"/query", "/feedback", "/upload", "/api/evaluations", "/api/endpoints", "/api/datasets/query"})
# Where a file is written to the disk as it comes.
DATASET_FILES = re.compile(r"/api/datasets/[^/]+/versions")
MODEL_FILES = re.compile(r"/api/models/[^/]+/versions")
# Where a signature over the body stands for a key; the route checks it before it does anything.
SIGNED_PATHS = re.compile(r"/webhooks/train/[^/]+")
# Where the sender proves itself in a way of its own; the route checks it before it does anything.
HOOKS = re.compile(r"/webhooks/(?:github|gitlab|azure-devops|grafana|cloudwatch|slack)")
HOOK_PROOFS = (
    *("x-hub-signature-256", "x-gitlab-token", "x-grafana-alerting-signature", "x-amz-sns-message-type"),
    "x-slack-signature",
)
# What a caller fetches with the token that came with its ticket; the route checks it.
TICKETS = re.compile(r"/support/case_[0-9a-z]+")
TICKET_TOKEN = "x-ticket-token"  # noqa: S105 (the name of a header)
SIGNATURES = ("x-hub-signature-256", "x-opsloop-signature")
LABELS = re.compile(r"/endpoints/[^/]+/labels")
# Who has the link of an invitation may answer it; it cannot be guessed, and is good for nothing else.
SURVEYS = re.compile(r"/survey/[^/]+")
ASKED_PATH = "/query"
LIMITED_PATHS = re.compile(r"/query|/upload|/api/collections/[^/]+/search")
FORM = "application/x-www-form-urlencoded"
OPEN_PREFIX = "/static/"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class BodyTooLarge(TooLarge):
    template = "the request body is over the limit of {limit} bytes; send less, or raise {setting}"


class DataPlane(Protocol):
    """The part that serves endpoints: plain ASGI, for the paths it owns."""

    def owns(self, path: str) -> bool: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


def _path_counted(path: str) -> str:
    """One of few, whatever the collection is called."""
    return "/search" if path.startswith("/api/") else path


class Entrance:
    """Args:
    limits: what keys may use, of those routes of the control plane that are counted (`LIMITED_PATHS`).
    others: where their use is counted.
    traces: keeps a trace of a question to a collection.
    """

    def __init__(
        self,
        workspace: Workspace,
        gateway: DataPlane,
        control_plane: ASGIApp,
        *,
        limits: Pool | None = None,
        others: Beside | None = None,
        traces: Traces | None = None,
        listens_on_loopback: bool = True,
    ) -> None:
        self._limits = limits
        self._others = others
        self._traces = traces
        self._workspace = workspace
        self._gateway = gateway
        self._control_plane = control_plane
        self._loopback = listens_on_loopback
        self.door = Door(workspace, listens_on_loopback=listens_on_loopback)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._control_plane(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = self._request_id(headers)
        scope["opsloop.request_id"] = request_id
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                limited = self._limited(scope, receive)
                await self._admit(scope, headers, limited)
                if self._gateway.owns(scope["path"]):
                    await self._gateway(scope, limited, send)  # it names the request and tells its errors itself
                    return
                _take_for_json(scope, headers)
                await self._control(scope, headers, limited, sending)
            except OpsloopError as error:
                if not started:
                    await _refuse(scope, receive, sending, error, request_id)
            except Exception:  # the rim of the process: say that it failed, keep the identity of the request
                log.exception("request_failed", method=scope["method"], path=scope["path"])
                if not started:
                    detail = f"something went wrong here; the log has it under request {request_id}"
                    document = problems.document_for(500, "internal", detail, request_id=request_id)
                    if wants_page(Request(scope)):
                        await problem_page(Request(scope), document)(scope, receive, sending)
                    else:
                        await _answer(sending, document, status=500)

    async def _control(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        """What is asked of documents counts as what is asked of endpoints does; the rest of the API is not counted."""
        if self._limits is None or scope["method"] != "POST" or not LIMITED_PATHS.fullmatch(scope["path"]):
            await self._control_plane(scope, receive, send)
            return
        key = key_of(scope["opsloop.caller"])
        size = headers.get("content-length", "")
        # A document that is uploaded is not read by a model here.
        tokens = int(size) // BYTES_PER_TOKEN if size.isdecimal() and scope["path"] != "/upload" else 0
        counted = (
            nullcontext(Answered())
            if self._others is None
            else self._others.counted(_path_counted(scope["path"]), request_id=scope["opsloop.request_id"], key=key)
        )
        async with admitted(self._limits, key, None, tokens=tokens) as account:
            told = [] if account is None else account.headers()

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], *told]
                    answered.http_status = message["status"]
                await send(message)

            with counted as answered, self._traced(scope, headers) as span:
                await self._control_plane(scope, receive, sending)
                if span is not None:
                    span.set_attribute("http.response.status_code", answered.http_status)
                    if answered.http_status >= 500:
                        span.set_status(StatusCode.ERROR)
            if account is not None:
                account.used(tokens)

    def _traced(self, scope: Scope, headers: Headers) -> AbstractContextManager[CollectedSpan | None]:
        if self._traces is None or scope["path"] != ASKED_PATH:
            return nullcontext()
        name, request_id = f"POST {ASKED_PATH}", scope["opsloop.request_id"]
        return self._traces.traced(name, headers.get("traceparent"), request_id)

    def _request_id(self, headers: Headers) -> str:
        given = headers.get("x-request-id", "")
        return given if _REQUEST_ID.fullmatch(given) else self._workspace.ids.new("req")

    def _limited(self, scope: Scope, receive: Receive) -> _Limited:
        if not scope["path"].startswith("/api/"):
            return _Limited(receive, self._workspace.settings.body_limit_bytes, "OPSLOOP_BODY_LIMIT_BYTES")
        if DATASET_FILES.fullmatch(scope["path"]):
            limit = self._workspace.section(DatasetSettings).dataset_limit_bytes
            return _Limited(receive, limit, "OPSLOOP_DATASET_LIMIT_BYTES")
        if MODEL_FILES.fullmatch(scope["path"]):
            limit = self._workspace.section(ModelSettings).model_limit_bytes
            return _Limited(receive, limit, "OPSLOOP_MODEL_LIMIT_BYTES")
        return _Limited(receive, self._workspace.settings.body_limit_bytes, "OPSLOOP_BODY_LIMIT_BYTES")

    async def _admit(self, scope: Scope, headers: Headers, limited: _Limited) -> None:
        with suppress(ValueError):
            limited.check(int(headers.get("content-length", "0")))
        if self._gateway.owns(scope["path"]) and (known := self._known(scope)):
            scope["opsloop.caller"] = known
            return
        if scope["path"] in OPEN_PATHS or scope["path"].startswith(OPEN_PREFIX):
            return
        if SURVEYS.fullmatch(scope["path"]):
            return
        if _is_signed(scope, headers):
            scope["opsloop.caller"] = Caller("webhook", Role.VIEWER)
            return
        if TICKET_TOKEN in headers and scope["method"] == "GET" and TICKETS.fullmatch(scope["path"]):
            scope["opsloop.caller"] = Caller("ticket", Role.VIEWER)
            return
        secret_given = "authorization" in headers or "cookie" in headers
        method, loopback = scope["method"], self._loopback
        if secret_given:  # a look-up in the database
            scope["opsloop.caller"] = await run_in_threadpool(
                caller_of, self._workspace, headers, method=method, listens_on_loopback=loopback
            )
            if (shown := _key_shown(scope)) is not None:
                self.door.remember(*shown, scope["opsloop.caller"])
        else:
            scope["opsloop.caller"] = caller_of(self._workspace, headers, method=method, listens_on_loopback=loopback)

    def _known(self, scope: Scope) -> Caller | None:
        """Who was looked up a moment ago with the same headers."""
        shown = _key_shown(scope)
        return None if shown is None else self.door.caller_of(*shown)


def _key_shown(scope: Scope) -> tuple[bytes, bytes | None] | None:
    """The one key that a caller shows, and the host it asks; None where more than that decides who it is."""
    authorization = host = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            if authorization is not None:
                return None
            authorization = value
        elif name == b"host":
            host = value
        elif name in (b"cookie", b"origin"):
            return None
    return None if authorization is None else (authorization, host)


def _is_signed(scope: Scope, headers: Headers) -> bool:
    if scope["method"] != "POST":
        return False
    if HOOKS.fullmatch(scope["path"]) is not None:
        is_basic = headers.get("authorization", "").lower().startswith("basic ")
        return is_basic or ("authorization" not in headers and any(name in headers for name in HOOK_PROOFS))
    if SIGNED_PATHS.fullmatch(scope["path"]) is None:
        return False
    return any(name in headers for name in SIGNATURES) and "authorization" not in headers


def _take_for_json(scope: Scope, headers: Headers) -> None:
    """Read what `curl -d` sends to a route that takes JSON as JSON: curl calls every body a form, others nothing.

    Forms of web pages go to the console's own addresses; requests of foreign pages were refused before.
    """
    if headers.get("content-type", FORM) == FORM and (scope["path"] in JSON_PATHS or LABELS.fullmatch(scope["path"])):
        MutableHeaders(scope=scope)["content-type"] = "application/json"


class _Limited:
    """A body that ends with an error once it is longer than allowed: for bodies that do not say their length."""

    def __init__(self, receive: Receive, limit: int, setting: str) -> None:
        self._receive = receive
        self._limit = limit
        self._setting = setting
        self._seen = 0

    def check(self, size_bytes: int) -> None:
        """Raises: BodyTooLarge."""
        if size_bytes > self._limit:
            raise BodyTooLarge(limit=self._limit, setting=self._setting)

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            self.check(self._seen)
        return message


async def _refuse(scope: Scope, receive: Receive, send: Send, error: OpsloopError, request_id: str) -> None:
    """Say no in the shape that the caller's protocol knows; a browser that is not known is sent to sign in."""
    request = Request(scope)
    if scope["path"] == infer.PREFIX or scope["path"].startswith(f"{infer.PREFIX}/"):
        said = {"error": error.sentence}
        await _answer(send, said, status=problems.status_of(error), media_type="application/json", error=error)
    elif scope["path"] in telemetry.PATHS:
        await telemetry.refusal(error, request.headers.get("content-type", ""))(scope, receive, send)
    elif wants_page(request):
        answer = problem_page(request, problems.problem(error, request_id=request_id))
        await answer(scope, receive, send)
    elif scope["path"].startswith("/v1/"):
        status, document = openai.error_of(error, problems.status_of(error))
        await _answer(send, document, status=status, media_type="application/json", error=error)
    else:
        document = problems.problem(error, request_id=request_id)
        await _answer(send, document, status=document["status"], error=error)


async def _answer(
    send: Send,
    document: dict[str, Any],
    *,
    status: int,
    media_type: str = problems.MEDIA_TYPE,
    error: OpsloopError | None = None,
) -> None:
    headers = [(b"content-type", media_type.encode())]
    headers += [(name.encode(), value.encode()) for name, value in problems.headers_for(status, error).items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": problems.body_of(document)})
