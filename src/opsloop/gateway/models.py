"""GET /v1/models: the endpoints, as the models of the OpenAI protocol."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.concurrency import run_in_threadpool

from opsloop.core.caller import system
from opsloop.gateway.calls import Call
from opsloop.gateway.errors import UnknownEndpoint
from opsloop.gateway.serving import Serving
from opsloop.releases import service as releases
from opsloop.releases.models import Endpoint

PATH = "/v1/models"


async def models(serving: Serving, call: Call) -> None:
    """List the endpoints, or describe one. Raises: UnknownEndpoint."""
    found = [_model(endpoint) for endpoint in await run_in_threadpool(_endpoints, serving)]
    name = unquote(call.scope["path"][len(PATH) + 1 :])
    if not name:
        await call.out.whole(200, msgspec.json.encode({"object": "list", "data": found}))
        return
    model = next((each for each in found if each["id"] == name), None)
    if model is None:
        raise UnknownEndpoint(name=name)
    await call.out.whole(200, msgspec.json.encode(model))


def _endpoints(serving: Serving) -> list[Endpoint]:
    with serving.workspace.reading(system("gateway")) as uow:
        return [state.endpoint for state in releases.endpoints(uow)]


def _model(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.name,
        "object": "model",
        "created": int(endpoint.created_at.timestamp()),
        "owned_by": "opsloop",
    }
