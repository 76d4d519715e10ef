"""The Open Inference Protocol, version 2, over REST: a model is an endpoint, its version the number of a release.

Source: https://github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any
from urllib.parse import unquote

import msgspec

from opsloop._version import __version__
from opsloop.core.errors import InvalidInput, shown
from opsloop.core.web.json_body import decoded
from opsloop.gateway.calls import Call
from opsloop.gateway.errors import NoSuchRoute, UnknownEndpoint
from opsloop.gateway.predicting import tensors
from opsloop.gateway.predicting.asked import Asked
from opsloop.gateway.predicting.exchange import ModelAnswer
from opsloop.gateway.predicting.predictor import Predictor
from opsloop.gateway.predicting.repeated_keys import repeated_key
from opsloop.gateway.predicting.rows import Table
from opsloop.gateway.predicting.tensors import PROBABILITIES, Tensor
from opsloop.releases.routing import Arm, Route

PREFIX, INFER = "/v2", "/infer"
_MODEL = re.compile(r"/v2/models/(?P<name>[^/]+)(?:/versions/(?P<version>[^/]+))?(?P<what>/ready|/infer)?")
_INPUTS = re.compile(rb'"inputs"\s*:')
_encode = msgspec.json.Encoder().encode
SERVER = {"name": "opsloop", "version": __version__, "extensions": []}


class UnknownVersion(UnknownEndpoint):
    template = "endpoint {name!r} does not serve version {version}; it serves {known}"


class RequestedOutput(msgspec.Struct):
    name: str
    parameters: dict[str, Any] | None = None


class InferRequest(msgspec.Struct):
    """Fields that nobody knows are left out, as the protocol's extensions want it."""

    inputs: list[Tensor]
    outputs: list[RequestedOutput] = msgspec.field(default_factory=list)
    id: str | None = None
    parameters: dict[str, Any] | None = None


_decoder = msgspec.json.Decoder(InferRequest)


async def infer(serving: Asked, call: Call) -> None:
    """Every route of the protocol. Raises: InvalidInput, NotFound, and what `Serving.predict` raises."""
    path = call.scope["path"]
    if path == PREFIX:
        await call.out.whole(200, _encode(SERVER))
        return
    if path == "/v2/health/live":
        await call.out.whole(200, b'{"live":true}')
        return
    if path == "/v2/health/ready":
        is_ready = serving.routes.is_settled
        await call.out.whole(200 if is_ready else 503, _encode({"ready": is_ready}))
        return
    asked = _MODEL.fullmatch(path)
    if asked is None:
        raise NoSuchRoute(method=call.scope["method"], path=path)
    name = unquote(asked["name"])
    route = await serving.routes.route(name)
    _check_version(route, name, None if asked["version"] is None else unquote(asked["version"]))
    if asked["what"] == INFER:
        request = _request_of(await serving.body(call))
        dialect = InferDialect(request, name, call.request_id)
        await serving.predict(call, name, dialect, user=None)
        return
    arm = _main_arm(route)
    predictor = serving.arms.model(arm, name)
    said = {"name": name, "ready": True} if asked["what"] else described(name, route, predictor)
    await call.out.whole(200, _encode(said))


def _request_of(body: bytes) -> InferRequest:
    """Raises: InvalidInput."""
    request = decoded(_decoder, body)
    if len(_INPUTS.findall(body)) > 1 and (key := repeated_key(body)) is not None:
        raise InvalidInput(f"body: has the key {shown(key)} twice; wanted it once", field="body")
    return request


def described(name: str, route: Route, predictor: Predictor) -> dict[str, Any]:
    """A model's metadata, from its signature."""
    names = list(predictor.signature.names)
    return {
        "name": name,
        "versions": [str(arm.number) for arm in _arms(route)],
        "platform": "onnx_onnxv1",
        "inputs": [{**asdict(each), "parameters": {"names": names}} for each in tensors.taken(predictor.signature)],
        "outputs": [asdict(each) for each in tensors.given(predictor.signature)],
    }


class InferDialect:
    def __init__(self, request: InferRequest, name: str, request_id: str) -> None:
        self._request = request
        self._name = name
        self._request_id = request_id
        self._wanted = [each.name for each in request.outputs]

    @property
    def wants_scores(self) -> bool:
        return not self._wanted or PROBABILITIES in self._wanted

    def table(self, predictor: Predictor) -> Table:
        rows = tensors.rows_of(self._request.inputs, predictor.signature, predictor.rows.limit)
        return predictor.rows.table(_encode(rows))

    def body(self, answer: ModelAnswer) -> bytes:
        return _encode(
            {
                "model_name": self._name,
                "model_version": str(answer.arm.number),
                "id": self._request.id or self._request_id,
                "parameters": {
                    "release": answer.arm.release,
                    "drift_detected": answer.predicted.detected,
                    "drift_score": answer.predicted.score,
                },
                "outputs": tensors.outputs_of(answer, self._wanted),
            }
        )


def _check_version(route: Route, name: str, version: str | None) -> None:
    known = [str(arm.number) for arm in _arms(route)]
    if version is not None and version not in known:
        raise UnknownVersion(name=name, version=version, known=", ".join(known))


def _main_arm(route: Route) -> Arm:
    return _arms(route)[0]


def _arms(route: Route) -> list[Arm]:
    return [arm for arm in (route.stable, route.candidate) if arm is not None]
