"""Getting the bytes behind a URL that came with a flow's inputs."""

from __future__ import annotations

import ipaddress
import socket
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from opsloop.core.context import current_workspace
from opsloop.core.errors import Unavailable
from opsloop.core.settings import Section, read
from opsloop.flows.errors import InputInvalid
from opsloop.flows.images import SIZE_LIMIT_BYTES

TIMEOUT_S = 20.0


class FetchSettings(Section):
    image_urls: Literal["public", "any", "off"] = Field(
        "public",
        description="Which addresses images of flows' inputs are fetched from; public: none of a private network.",
    )


class NotFetched(Unavailable):
    template = "{url} cannot be fetched: {reason}"


def fetch(url: str) -> bytes:
    """The bytes behind a URL. Raises: InputInvalid when it may not be fetched, NotFetched."""
    workspace = current_workspace.get(None)
    allowed = (read(FetchSettings) if workspace is None else workspace.section(FetchSettings)).image_urls
    if allowed == "off":
        raise InputInvalid(field="the image", value=url, wanted="its bytes: fetching URLs is off (OPSLOOP_IMAGE_URLS)")
    return _got(url, is_public_only=allowed == "public")


def _got(url: str, *, is_public_only: bool) -> bytes:
    import httpx  # only a flow with images from the web needs it

    try:
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client:
            for _ in range(5):
                if is_public_only:
                    _check_public(url)
                with client.stream("GET", url) as response:
                    if response.is_redirect and response.next_request is not None:
                        url = str(response.next_request.url)  # looked at like the first: it may lead inside
                        continue
                    response.raise_for_status()
                    return _bounded(url, response)
    except httpx.HTTPError as error:
        raise NotFetched(url=url, reason=str(error) or type(error).__name__) from error
    raise NotFetched(url=url, reason="it is redirected over and over")


def _bounded(url: str, response: object) -> bytes:
    data = bytearray()
    for piece in response.iter_bytes():  # type: ignore[attr-defined]  # httpx.Response, which is not imported here
        data += piece
        if len(data) > SIZE_LIMIT_BYTES:
            raise InputInvalid(field="the image", value=url, wanted=f"at most {SIZE_LIMIT_BYTES} bytes")
    return bytes(data)


def _check_public(url: str) -> None:
    """Refuse addresses inside: a caller must not read through this process what it cannot reach itself."""
    host = urlsplit(url).hostname or ""
    try:
        found = {each[4][0] for each in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise NotFetched(url=url, reason=f"{host} has no address ({error})") from error
    if not all(ipaddress.ip_address(address).is_global for address in found):
        wanted = "an address of the public web (OPSLOOP_IMAGE_URLS=any allows others)"
        raise InputInvalid(field="the image", value=url, wanted=wanted)
