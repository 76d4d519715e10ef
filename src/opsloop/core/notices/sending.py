"""Send one request and tell how it went.

A redirect is followed only when it keeps method and body (307, 308), and never from a public address to a private one:
whoever runs the other side must not reach into this network. Imported only where something is sent: httpx takes a
tenth of a second to load.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx

from opsloop.core.notices import address
from opsloop.core.notices.errors import AddressInvalid

REDIRECTS = 3
_SAID_BYTES = 200
CONNECT_S = 5.0
"""For each address of a name in turn."""


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
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Answer(None, _hidden(_said(error), url))


async def _followed(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    may_be_private, at = True, url
    for _ in range(REDIRECTS + 1):
        proxy = _proxy(at) if may_be_private else None
        async with _client(proxy) as client:
            if may_be_private:
                response = await client.send(_request(at, body, headers), stream=True)
            else:
                response = await _sent_to_public(client, at, body, headers)
            try:
                if response.status_code not in (307, 308):
                    return await _answer(response, url)
                if may_be_private:
                    may_be_private = await _was_private(at) if proxy else _reached_private(response)
            finally:
                await response.aclose()
        at = _target(at, response.headers.get("location", ""))
    raise _Refused(f"was redirected more than {REDIRECTS} times")


def _client(proxy: str | None) -> httpx.AsyncClient:
    try:
        return httpx.AsyncClient(verify=_trusting(), trust_env=False, proxy=proxy)
    except (ValueError, ImportError):  # the latter: a scheme that httpx speaks with another package only
        raise _Refused("the environment names a proxy that cannot be used; wanted http://HOST:PORT") from None


def _request(url: str, body: bytes, headers: Mapping[str, str]) -> httpx.Request:
    # Made by hand it has none of the client's timeouts: one holds for all of it.
    return httpx.Request("POST", url, content=body, headers={"accept": "*/*", **headers})


async def _sent_to_public(
    client: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str]
) -> httpx.Response:
    """Sent to an address that was looked at: a name that is looked up twice can stand for two."""
    asked = _request(url, body, headers)
    host = address.parts(url).hostname or ""
    found = await _addresses(host)
    public = [each for each in found if address.is_private(each) is False]
    if not public:
        raise _Refused("was redirected to a private address, which is refused")
    trouble: httpx.TransportError | None = None
    for each in public:
        pinned = httpx.Request(
            "POST",
            asked.url.copy_with(host=each),
            content=body,
            headers=asked.headers,  # with the name as `host`
            # What the certificate has to be for. Source: https://www.python-httpx.org/advanced/extensions/
            extensions={"sni_hostname": host, "timeout": {"connect": CONNECT_S}},
        )
        try:
            return await client.send(pinned, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:  # nothing was sent yet
            trouble = error
    assert trouble is not None
    raise trouble


def _reached_private(response: httpx.Response) -> bool:
    """Whether the address that was sent to is private itself, so that it may lead to its neighbours."""
    reached = response.extensions["network_stream"].get_extra_info("server_addr")
    return reached is not None and address.is_private(str(reached[0])) is True


async def _was_private(url: str) -> bool:
    """The same of what a proxy was asked for; what only the proxy can look up is taken as public."""
    try:
        found = await _addresses(address.parts(url).hostname or "")
    except OSError:
        return False
    return any(address.is_private(each) for each in found)


async def _addresses(host: str) -> Sequence[str]:
    """Those a name stands for now, or the one that it is itself. Raises: OSError."""
    if address.is_private(host) is not None:
        return [host]
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@functools.cache
def _trusting() -> ssl.SSLContext:
    """Trusts whom the system trusts, also a company's own authority; made once, for it takes a while."""
    return ssl.create_default_context()


def _target(url: str, location: str) -> str:
    to = urljoin(url, location)
    try:
        address.check(to)
    except AddressInvalid:
        raise _Refused("was redirected to what is no http:// or https:// URL") from None
    return to


async def _answer(response: httpx.Response, url: str) -> Answer:
    if response.is_success:
        return Answer(response.status_code, None)
    text = ""
    if response.headers.get("content-type", "").partition(";")[0].strip() == "text/plain":
        async for piece in response.aiter_raw(_SAID_BYTES):
            text = " ".join(piece.decode("ascii", "replace").split())
            break
    more = f" ({_hidden(text, url)})" if text.isprintable() and text else ""
    after = response.headers.get("retry-after", "")
    return Answer(
        response.status_code, f"answered {response.status_code}{more}", float(after) if after.isdigit() else None
    )


def _said(error: Exception) -> str:
    """What went wrong, and with whom; the system's own words are found below those of the libraries."""
    reason: BaseException = error
    while (cause := reason.__cause__ or reason.__context__) is not None:
        reason = cause
    if isinstance(reason, BaseExceptionGroup):
        reason = reason.exceptions[0]
    told = str(reason) or type(reason).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return f"{error.request.url.netloc.decode('ascii', 'replace').rpartition('@')[2]} cannot be reached: {told}"
    return told


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
    proxy = proxies.get(found.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"
