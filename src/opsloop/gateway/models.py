"""GET /v1/models: the endpoints that can chat, and what can embed, as the models of the OpenAI protocol."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.concurrency import run_in_threadpool

from opsloop.core.caller import Caller, Role, system
from opsloop.gateway.calls import Call
from opsloop.gateway.errors import UnknownEndpoint
from opsloop.gateway.serving import Serving
from opsloop.rag.offering import Offer, offers
from opsloop.releases import service as releases
from opsloop.releases.models import Endpoint, EndpointState

PATH = "/v1/models"


async def models(serving: Serving, call: Call) -> None:
    """List the endpoints, or describe one. Raises: UnknownEndpoint."""
    found = await run_in_threadpool(_models, serving, caller_of(call))
    name = unquote(call.scope["path"][len(PATH) + 1 :])
    if not name:
        await call.out.whole(200, msgspec.json.encode({"object": "list", "data": found}))
        return
    model = next((each for each in found if each["id"] == name), None)
    if model is None:
        raise UnknownEndpoint(name=name)
    await call.out.whole(200, msgspec.json.encode(model))


def _models(serving: Serving, caller: Caller) -> list[dict[str, Any]]:
    with serving.workspace.reading(system("gateway")) as uow:
        # A client offers what is listed to chat with; trained models answer `/predict`.
        endpoints = [_model(state.endpoint) for state in releases.endpoints(uow) if not _predicts(state)]
    with serving.workspace.reading(caller) as uow:
        return endpoints + [_embedder(offer) for offer in offers(uow)]


def caller_of(call: Call) -> Caller:
    """Who asks, where the entrance found it out; a viewer of what is open to everybody where it did not."""
    caller = call.scope.get("opsloop.caller")
    return caller if isinstance(caller, Caller) else Caller("system:gateway", Role.VIEWER)


def _embedder(offer: Offer) -> dict[str, Any]:
    created = int(offer.created_at.timestamp()) if offer.created_at is not None else 0
    return {"id": offer.name, "object": "model", "created": created, "owned_by": "opsloop", "task": "embeddings"}


def _predicts(state: EndpointState) -> bool:
    return state.stable is not None and state.stable.kind == "model"


def _model(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.name,
        "object": "model",
        "created": int(endpoint.created_at.timestamp()),
        "owned_by": "opsloop",
    }
