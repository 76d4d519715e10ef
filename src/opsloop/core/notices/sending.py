"""Send one request and tell how it went.

A redirect is followed only when it keeps method and body (307, 308), and never from a public address to a private one:
whoever runs the other side must not reach into this network. Imported only where something is sent: aiohttp takes a
tenth of a second to load.
"""

from __future__ import annotations

import asyncio
import socket
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from opsloop.core.notices import address
from opsloop.core.notices.errors import AddressInvalid

REDIRECTS = 3
_SAID_BYTES = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is None when there was no answer; `error` is None when all is well."""

    status: int | None
    error: str | None
    retry_after_s: float | None = None

    @property
    def is_lasting(self) -> bool:
        """Whether trying again cannot help: the other side says that the address is gone."""
        return self.status == 410


class _Refused(Exception):
    pass


def send(url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float) -> Answer:
    """POST a body; errors are answers too, with no address in them."""
    return asyncio.run(_send(url, body, headers, timeout_s))


async def _send(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
    try:
        async with asyncio.timeout(timeout_s):
            return await _followed(url, body, headers)
    except TimeoutError:
        return Answer(None, f"no answer within {timeout_s:g} s")
    except _Refused as error:
        return Answer(None, str(error))
    except (aiohttp.ClientError, OSError) as error:
        return Answer(None, _hidden(str(error) or type(error).__name__, url))


async def _followed(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    may_be_private, at = True, url
    for _ in range(REDIRECTS + 1):
        resolver = _Resolver(may_be_private=may_be_private)
        if not may_be_private and address.is_private(address.parts(at).hostname or ""):
            raise _Refused("was redirected to a private address, which is refused")
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector, auto_decompress=False) as session,
            session.post(
                at,
                data=body,
                headers=dict(headers),
                allow_redirects=False,
                proxy=_proxy(at) if may_be_private else None,
            ) as response,
        ):
            if response.status not in (307, 308):
                return await _answer(response, url)
            may_be_private = may_be_private and await _reached_private(at)
            at = _target(at, response.headers.get("location", ""))
    raise _Refused(f"was redirected more than {REDIRECTS} times")


async def _reached_private(url: str) -> bool:
    """Whether the address that was sent to is private itself, so that it may lead to its neighbours."""
    host = address.parts(url).hostname or ""
    if (found := address.is_private(host)) is not None:
        return found
    found_all = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return any(address.is_private(str(each[4][0])) for each in found_all)


def _target(url: str, location: str) -> str:
    to = urljoin(url, location)
    try:
        address.check(to)
    except AddressInvalid:
        raise _Refused("was redirected to what is no http:// or https:// URL") from None
    return to


async def _answer(response: aiohttp.ClientResponse, url: str) -> Answer:
    if 200 <= response.status < 300:
        return Answer(response.status, None)
    said = await response.content.read(_SAID_BYTES)
    text = " ".join(said.decode("ascii", "replace").split()) if response.content_type == "text/plain" else ""
    more = f" ({_hidden(text, url)})" if text.isprintable() and text else ""
    after = response.headers.get("retry-after", "")
    return Answer(response.status, f"answered {response.status}{more}", float(after) if after.isdigit() else None)


def _hidden(text: str, url: str) -> str:
    """A text without the address, of which the path may be a secret."""
    path = address.parts(url).path
    return text.replace(url, "the address").replace(path if len(path) > 1 else "\0", "/…")


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for an address (`HTTPS_PROXY`, `NO_PROXY`)."""
    found = address.parts(url)
    if urllib.request.proxy_bypass(found.netloc.rpartition("@")[2]):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(found.scheme) or proxies.get("all")


class _Resolver(AbstractResolver):
    """Looks names up; private addresses are left out unless they may be reached."""

    def __init__(self, *, may_be_private: bool) -> None:
        self._may_be_private = may_be_private
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if self._may_be_private:
            return found
        public = [each for each in found if address.is_private(each["host"]) is False]
        if not public:
            raise _Refused("was redirected to a private address, which is refused")
        return public

    async def close(self) -> None:
        await self._inner.close()
