"""Ask an endpoint as any caller does: over HTTP, at the address this very request came in by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import httpx
import msgspec
from fastapi import Request

from opsloop.core.errors import Unavailable

TIMEOUT_S = 120.0
_FORWARDED = ("authorization", "cookie")


class NoAddress(Unavailable):
    template = "this platform listens on no address that it could ask itself at; turn JavaScript on to chat"


class Turn(msgspec.Struct, frozen=True):
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


class Source(msgspec.Struct, frozen=True):
    """A citation, as far as a page shows it."""

    quote: str = ""
    filename: str = ""
    document_id: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `failed` says why nothing did, `ticket` under which a person is to answer."""

    content: str
    sources: tuple[Source, ...]
    abstained: bool
    release: int | None
    arm: str
    request_id: str
    failed: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """The outputs of a flow by name, and the number of the release that gave them; `failed` says why there are none."""

    outputs: Mapping[str, Any]
    release: int | None
    failed: str = ""


async def ask(request: Request, endpoint: str, turns: Sequence[Turn], user: str) -> Reply:
    """The endpoint's answer to a conversation. Raises: NoAddress."""
    body = {"model": endpoint, "messages": msgspec.to_builtins(turns), **({"user": user} if user else {})}
    address = _address(request, "/v1/chat/completions")
    try:
        return _reply(await _posted(request, address, body))
    except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
        return _failed(f"the endpoint could not be asked: {error or type(error).__name__}")


async def invoke(request: Request, endpoint: str, inputs: Mapping[str, Any]) -> Given:
    """What the endpoint's flow gives for its inputs, by name. Raises: NoAddress."""
    address = _address(request, f"/endpoints/{quote(endpoint, safe='')}/invoke")
    try:
        answer = await _posted(request, address, {"inputs": dict(inputs)})
        document: dict[str, Any] = answer.json()
        if answer.status_code != 200:
            return Given({}, None, failed=str(document["detail"]))
        return Given(dict(document["outputs"]), document.get("number"))
    except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
        return Given({}, None, failed=f"the endpoint could not be asked: {error or type(error).__name__}")


def _address(request: Request, path: str) -> str:
    server = request.scope.get("server")
    if not server or not server[1]:
        raise NoAddress()
    host, port = server
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{path}"


async def _posted(request: Request, address: str, body: Mapping[str, Any]) -> httpx.Response:
    """Asked with the caller's own key."""
    headers = {name: request.headers[name] for name in _FORWARDED if name in request.headers}
    async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as http:
        return await http.post(address, json=body, headers=headers)


def _reply(answer: httpx.Response) -> Reply:
    document: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        return _failed(str(document["error"]["message"]))
    message = document["choices"][0]["message"]
    told = message.get("opsloop") or {}
    return Reply(
        content=str(message["content"]),
        sources=sources_of(told.get("citations")),
        abstained=bool(told.get("abstained")),
        release=told.get("number"),
        arm=str(told.get("arm", "")),
        request_id=str(told.get("request_id", "")),
        ticket=str((told.get("ticket") or {}).get("id", "")),
    )


def sources_of(given: object) -> tuple[Source, ...]:
    return tuple(_source(each) for each in given) if isinstance(given, list) else ()


def _source(given: object) -> Source:
    """A citation is whatever the flow calls so: what it lacks stays empty."""
    try:
        return msgspec.convert(given, Source)
    except msgspec.ValidationError:
        return Source(quote=str(given))


def _failed(sentence: str) -> Reply:
    return Reply("", (), False, None, "", "", failed=sentence)
