"""The way through a proxy: what it is told, and the tunnel that it opens for TLS."""

from __future__ import annotations

import asyncio
import base64
import functools
import socket
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from opsloop.llm.transport import TransportFailed

HEAD_BYTES = 8_192
"""Of a proxy's answer to CONNECT."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Attributes: authorization: the value of `proxy-authorization`; None where the proxy wants none."""

    host: str
    port: int
    authorization: str | None = field(repr=False)


@functools.lru_cache(maxsize=64)
def proxy_at(url: str) -> Proxy:
    """A proxy as the environment names it; without a scheme it is meant as http.

    Raises: TransportFailed for one that is spoken to in another way than plain HTTP.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise TransportFailed("the environment names a proxy whose address is none") from error
    if parts.scheme != "http" or not host:
        raise TransportFailed(
            f"the environment names a proxy at {parts.scheme}://; wanted http://HOST:PORT, which also carries https"
        )
    return Proxy(host, port or 80, _authorization(parts.username, parts.password))


async def open_tunnel(loop: asyncio.AbstractEventLoop, connected: socket.socket, place: str, proxy: Proxy) -> None:
    """Have a proxy pass on what is written from now on, unseen. Source: RFC 9110, 9.3.6.

    Args:
        connected: to the proxy; it does not block.
        place: HOST:PORT at the other end.
    Raises: TransportFailed, OSError.
    """
    fields = [f"CONNECT {place} HTTP/1.1", f"host: {place}"]
    if proxy.authorization is not None:
        fields.append(f"proxy-authorization: {proxy.authorization}")
    await loop.sock_sendall(connected, ("\r\n".join(fields) + "\r\n\r\n").encode())
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        # Nothing of the other end's can come with this head: TLS is begun by us.
        piece = await loop.sock_recv(connected, HEAD_BYTES)
        head += piece
        if not piece or len(head) > HEAD_BYTES:
            raise TransportFailed("the proxy does not answer in HTTP")
    version, _, rest = bytes(head.partition(b"\r\n")[0]).partition(b" ")
    status = rest[:3]
    if not version.startswith(b"HTTP/1.") or not status.isdigit():
        raise TransportFailed("the proxy does not answer in HTTP")
    if not status.startswith(b"2"):
        raise TransportFailed(f"the proxy refuses to connect to {place}: status {status.decode()}")


def _authorization(user: str | None, password: str | None) -> str | None:
    if user is None:
        return None
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
