"""Fetch a URL that somebody else chose.

A name is looked up once; all its addresses are checked, and the connection goes to one of those that were checked, so a
name that answers with another address the next time gains nothing. Each redirect is a URL like the first. No proxy is
used: it would look the name up again. No cookie, key or password is sent.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urljoin

from opsloop.core.fetching.errors import FetchedTooLarge, NotFetched, UrlNotAllowed
from opsloop.core.fetching.network import REAL, Network
from opsloop.core.fetching.rules import Place, Rules, place_of, shown

HOPS = 5
_PIECE = 65_536
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_GZIP = 16 + zlib.MAX_WBITS
_TROUBLE = (OSError, http.client.HTTPException, zlib.error, ValueError)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came.

    Attributes:
        url: where it came from in the end, without what may be secret in it.
        media_type: as the server says, in lower case without parameters; empty when it says none.
        filename: what the server calls it; None when it does not.
    """

    data: bytes
    url: str
    media_type: str
    filename: str | None


class _Deadline:
    """Ends whatever a connection waits for when the time is over, also a server that sends a byte now and then."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self.is_over = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(timeout_s, self._end)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, connection: socket.socket) -> None:
        with self._lock:
            self._socket = connection
            if self.is_over:
                raise TimeoutError

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            if self._socket is not None:
                with suppress(OSError):  # it is closed already
                    # Not an SSLSocket's own way, which takes the encryption off under whoever reads.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        self._timer.cancel()


def fetch(url: str, rules: Rules, *, network: Network = REAL) -> Fetched:
    """What the URL names. This waits for the network, so it belongs in a thread.

    Raises: UrlNotAllowed, NotFetched, FetchedTooLarge.
    """
    with closing(_Deadline(rules.timeout_s)) as deadline:
        place = place_of(url, rules)
        for _ in range(HOPS):
            found = _asked(place, rules, network, deadline)
            if isinstance(found, Fetched):
                return found
            place = _next(place, found, rules)
    raise NotFetched(url=shown(url), reason="it is redirected over and over")


def _next(place: Place, location: str, rules: Rules) -> Place:
    found = place_of(urljoin(place.url, location), rules)
    if place.is_secure and not found.is_secure:
        raise UrlNotAllowed(url=place.shown, wanted="a URL that does not lead from https:// to http://")
    return found


def _asked(place: Place, rules: Rules, network: Network, deadline: _Deadline) -> Fetched | str:
    """What is there, or where to go on."""
    try:
        with closing(_connected(place, rules, network, deadline)) as connection:
            found = _answered(place, rules, connection)
    except _TROUBLE as error:
        if deadline.is_over:
            raise _too_slow(place, deadline) from error
        raise NotFetched(url=place.shown, reason=_said(error)) from error
    if deadline.is_over:  # what was cut off can look like an end
        raise _too_slow(place, deadline)
    return found


def _too_slow(place: Place, deadline: _Deadline) -> NotFetched:
    return NotFetched(url=place.shown, reason=f"it takes more than {deadline.timeout_s:g} s")


def _said(error: Exception) -> str:
    """What went wrong, in words of ours: a server's own words are not passed on."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(error, TimeoutError):
        return "nobody answers there"
    return f"the connection broke off ({type(error).__name__})"


def _connected(place: Place, rules: Rules, network: Network, deadline: _Deadline) -> http.client.HTTPConnection:
    found = _addresses(place, rules, network)
    plain = _first_that_answers(found, place.port, network, deadline)
    try:
        deadline.watch(plain)
        used = _secured(plain, place.host, deadline) if place.is_secure else plain
    except BaseException:
        plain.close()
        raise
    connection = http.client.HTTPConnection(place.host, place.port)
    connection.auto_open = 0  # it must not look the name up by itself
    connection.sock = used
    return connection


def _addresses(place: Place, rules: Rules, network: Network) -> list[str]:
    try:
        found = list(network.addresses(place.host, place.port))
    except (OSError, UnicodeError) as error:
        raise NotFetched(url=place.shown, reason=f"{place.host} has no address") from error
    if not found:
        raise NotFetched(url=place.shown, reason=f"{place.host} has no address")
    rules.check_addresses(place.shown, found)
    return found


def _first_that_answers(found: list[str], port: int, network: Network, deadline: _Deadline) -> socket.socket:
    trouble: OSError = TimeoutError()
    for address in found:
        if deadline.is_over:
            raise TimeoutError
        try:
            return network.connect(address, port, deadline.timeout_s / len(found))
        except OSError as error:
            trouble = error
    raise trouble


def _secured(plain: socket.socket, host: str, deadline: _Deadline) -> socket.socket:
    from httpx import create_ssl_context  # the authorities that other requests trust; a tenth of a second

    plain.settimeout(deadline.timeout_s)
    wrapped = create_ssl_context().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    try:
        deadline.watch(wrapped)
        wrapped.do_handshake()
    except BaseException:
        wrapped.close()
        raise
    return wrapped


def _answered(place: Place, rules: Rules, connection: http.client.HTTPConnection) -> Fetched | str:
    assert connection.sock is not None
    connection.sock.settimeout(rules.timeout_s)
    headers = {"Host": place.host_header, "Accept-Encoding": "gzip", "User-Agent": "opsloop", "Connection": "close"}
    connection.request("GET", place.target, headers=headers)
    with closing(connection.getresponse()) as response:
        location = response.headers.get("location")
        if response.status in _REDIRECTS and location:
            return location
        if response.status != 200:
            raise NotFetched(url=place.shown, reason=f"it answers {response.status}")
        data = _body(place, rules, response)
        return Fetched(data, place.shown, _media_type(response.headers), response.headers.get_filename())


def _media_type(headers: Message) -> str:
    return headers.get_content_type() if headers.get("content-type") else ""


def _body(place: Place, rules: Rules, response: http.client.HTTPResponse) -> bytes:
    if response.length is not None and response.length > rules.limit_bytes:
        raise FetchedTooLarge(url=place.shown, limit_bytes=rules.limit_bytes)
    coding = (response.headers.get("content-encoding") or "identity").strip().lower()
    if coding not in ("identity", "gzip"):
        raise NotFetched(url=place.shown, reason="it is compressed in a way that was not asked for")
    data = bytearray()
    for piece in _unpacked(_pieces(response), rules.limit_bytes) if coding == "gzip" else _pieces(response):
        data += piece
        if len(data) > rules.limit_bytes:
            raise FetchedTooLarge(url=place.shown, limit_bytes=rules.limit_bytes)
    return bytes(data)


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """The body as it comes; counted here, because Python 3.11 does not notice a body that is shorter than announced."""
    left = response.length
    while left != 0 and (piece := response.read1(_PIECE if left is None else min(_PIECE, left))):
        left = None if left is None else left - len(piece)
        yield piece
    if left:
        raise http.client.IncompleteRead(b"", left)


def _unpacked(pieces: Iterator[bytes], limit_bytes: int) -> Iterator[bytes]:
    """At most a byte more than the limit at a time: a small piece can unpack to gigabytes."""
    unpacking = zlib.decompressobj(wbits=_GZIP)
    for piece in pieces:
        yield unpacking.decompress(piece, limit_bytes + 1)
        # Whoever adds them up stops at the limit, so this ends.
        while unpacking.unconsumed_tail:
            yield unpacking.decompress(unpacking.unconsumed_tail, limit_bytes + 1)
    if not unpacking.eof:
        raise zlib.error("it ends too early")
