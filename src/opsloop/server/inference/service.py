"""GRPCInferenceService on a port of its own, in front of the routes under /v2."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

import grpc
import grpc.aio
import msgspec
from google.protobuf.message import DecodeError
from starlette.types import ASGIApp

from opsloop.core.errors import InvalidInput
from opsloop.server.inference import tensors
from opsloop.server.inference.asking import Answer, Asking
from opsloop.server.inference.messages import SERVICE, message

# What of a call's metadata the application gets to see.
PASSED = frozenset({"authorization", "x-request-id", "x-opsloop-subject", "traceparent", "tracestate"})
_CODES: Mapping[int, grpc.StatusCode] = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    409: grpc.StatusCode.FAILED_PRECONDITION,
    413: grpc.StatusCode.INVALID_ARGUMENT,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
Method = Callable[[Any, Any], Awaitable[Any]]
_encode, _decode = msgspec.json.encode, msgspec.json.decode


class InferenceService:
    """Args: asking: the application that answers."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def server_live(self, _asked: Any, context: Any) -> Any:
        answer = await self._ask(context, "GET", "/v2/health/live")
        return message("ServerLiveResponse")(live=answer.is_well)

    async def server_ready(self, _asked: Any, context: Any) -> Any:
        answer = await self._ask(context, "GET", "/v2/health/ready")
        return message("ServerReadyResponse")(ready=answer.is_well)

    async def server_metadata(self, _asked: Any, context: Any) -> Any:
        said = await self._said(context, "GET", "/v2")
        return message("ServerMetadataResponse")(**said)

    async def model_ready(self, asked: Any, context: Any) -> Any:
        """A model that is not there is not ready; that is no error."""
        answer = await self._ask(context, "GET", _path(asked.name, asked.version) + "/ready")
        if not answer.is_well and answer.status not in (404, 503):
            await _abort(context, answer)
        return message("ModelReadyResponse")(ready=answer.is_well)

    async def model_metadata(self, asked: Any, context: Any) -> Any:
        said = await self._said(context, "GET", _path(asked.name, asked.version))
        made = message("ModelMetadataResponse")(name=said["name"], versions=said["versions"], platform=said["platform"])
        for target, found in ((made.inputs, said["inputs"]), (made.outputs, said["outputs"])):
            for each in found:
                target.add(name=each["name"], datatype=each["datatype"], shape=each["shape"])
        return made

    async def model_infer(self, asked: Any, context: Any) -> Any:
        path = _path(asked.model_name, asked.model_version, "model_name") + "/infer"
        said = await self._said(context, "POST", path, _encode(tensors.request_of(asked)))
        return tensors.response_of(said, raw=bool(asked.raw_input_contents))

    async def _said(self, context: Any, method: str, path: str, body: bytes = b"") -> dict[str, Any]:
        answer = await self._ask(context, method, path, body)
        if not answer.is_well:
            await _abort(context, answer)
        said: dict[str, Any] = _decode(answer.body)
        return said

    async def _ask(self, context: Any, method: str, path: str, body: bytes = b"") -> Answer:
        headers = [
            (name.encode(), value.encode("latin-1", "replace") if isinstance(value, str) else value)
            for name, value in context.invocation_metadata() or ()
            if name in PASSED
        ]
        return await self._asking.ask(method, path, headers, body, _address(context.peer()))


async def _abort(context: Any, answer: Answer) -> None:
    """End the call with what the application said is wrong."""
    try:
        found = _decode(answer.body)
    except msgspec.DecodeError:
        found = {}
    sentence = found.get("error") or found.get("detail") or f"the service answered {answer.status}"
    await context.abort(_CODES.get(answer.status, grpc.StatusCode.INTERNAL), sentence)


def server_of(app: ASGIApp, *, host: str, limit_bytes: int) -> grpc.aio.Server:
    """A server without a port yet. Args: limit_bytes: of a message."""
    service = InferenceService(Asking(app, host))
    methods: dict[str, Method] = {
        "ServerLive": service.server_live,
        "ServerReady": service.server_ready,
        "ServerMetadata": service.server_metadata,
        "ModelReady": service.model_ready,
        "ModelMetadata": service.model_metadata,
        "ModelInfer": service.model_infer,
    }
    # Two servers on one port would share its calls without a word; the second one has to hear of it.
    options = [("grpc.max_receive_message_length", limit_bytes), ("grpc.so_reuseport", 0)]
    server = grpc.aio.server(options=options)
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            _told(method),
            request_deserializer=partial(_read, f"{name}Request"),
            response_serializer=message(f"{name}Response").SerializeToString,
        )
        for name, method in methods.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    return server


class _Unreadable:
    """Stands for bytes that are no message. Args: kind: that was wanted."""

    def __init__(self, kind: str) -> None:
        self.sentence = f"the message cannot be read; wanted a {kind} of the Open Inference Protocol"


def _read(kind: str, data: bytes) -> Any:
    try:
        return message(kind).FromString(data)
    except DecodeError:  # grpc would log a traceback, and say to the caller that the service failed
        return _Unreadable(kind)


def _told(method: Method) -> Method:
    """The method, whose caller is told what was wrong with what it sent."""

    async def call(asked: Any, context: Any) -> Any:
        try:
            if isinstance(asked, _Unreadable):
                raise InvalidInput(asked.sentence)
            return await method(asked, context)
        except InvalidInput as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.sentence)

    return call


def _path(name: str, version: str, field: str = "name") -> str:
    """Raises: InvalidInput."""
    if not name:
        raise InvalidInput(field=field, value=name, wanted="the name of a model")
    path = f"/v2/models/{quote(name, safe='')}"
    return f"{path}/versions/{quote(version, safe='')}" if version else path


def _address(peer: str) -> str:
    """The address in `ipv4:127.0.0.1:1234` or `ipv6:%5B::1%5D:1234`."""
    kind, _, rest = peer.partition(":")
    return rest.rpartition(":")[0].replace("%5B", "").replace("%5D", "") if kind in ("ipv4", "ipv6") else kind
