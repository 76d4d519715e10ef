"""One connection to a server: requests out, typed answers or errors back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from opsloop._version import __version__
from opsloop.client.decode import convert, decode
from opsloop.client.errors import AnswerOverdue, NotOpsloop, ServerUnreachable, from_document
from opsloop.core.errors import InvalidInput

T = TypeVar("T")
_CHUNK_BYTES = 1 << 20
USER_AGENT = f"opsloop/{__version__}"


def path(*parts: str | int) -> str:
    """A path with every part quoted: `path("api", "datasets", name)`."""
    return "/" + "/".join(quote(str(part), safe="@") for part in parts)


class Connection:
    """Sends requests and turns what comes back into values or errors.

    Args:
        transport: how requests travel; None for the network.
        timeout_s: time to wait for one answer, in seconds.
    """

    def __init__(
        self, url: str, *, token: str | None = None, timeout_s: float, transport: httpx.BaseTransport | None = None
    ) -> None:
        if token and not (token.isascii() and token.isprintable()):
            raise InvalidInput("OPSLOOP_TOKEN: wanted an API key as `opsloop token create` prints it", field="token")
        headers = {"user-agent": USER_AGENT} | ({"authorization": f"Bearer {token}"} if token else {})
        timeout = httpx.Timeout(timeout_s, connect=min(timeout_s, 10.0))
        self.url = _checked(url)
        self.is_in_this_process = transport is not None
        self._timeout_s = timeout_s
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout, transport=transport)

    def get(self, at: str, into: type[T], **query: Any) -> T:
        return decode(self._send("GET", at, query=query).content, into, where=at)

    def items(self, at: str, into: type[T], *, member: str = "items", **query: Any) -> list[T]:
        """The entries of a list answer `{"items": […]}`."""
        page = self.get(at, dict[str, Any], **query)
        return convert(page.get(member, []), list[into], where=at)  # type: ignore[valid-type]  # a type made at run time

    def all_items(self, at: str, into: type[T], *, cursor: str, **query: Any) -> list[T]:
        """The entries of all pages; `cursor` is the parameter that takes a page's `next`."""
        found: list[T] = []
        following: Any = None
        while True:
            page = self.get(at, dict[str, Any], **query, **{cursor: following})
            found += convert(page.get("items", []), list[into], where=at)  # type: ignore[valid-type]  # as above
            following = page.get("next")
            if following is None:
                return found

    def post(
        self,
        at: str,
        into: type[T],
        *,
        body: object = None,
        data: bytes | None = None,
        timeout_s: float | None = None,
        **query: Any,
    ) -> T:
        """Send a JSON `body`, or `data` as it is; `timeout_s` for answers that take longer than others."""
        answer = self._send("POST", at, body=body, data=data, query=query, timeout_s=timeout_s)
        return decode(answer.content, into, where=at)

    def post_file(self, at: str, into: type[T], file: Path, *, timeout_s: float, **query: Any) -> T:
        """Send a file as it is, in a stream; the answer may take as long as `timeout_s`."""
        with file.open("rb") as data:
            length = {"content-length": str(file.stat().st_size)}
            answer = self._send("POST", at, data=data, query=query, headers=length, timeout_s=timeout_s)
            return decode(answer.content, into, where=at)

    def save(self, at: str, file: Path, *, timeout_s: float, **query: Any) -> None:
        """Write an answer's bytes to a file, in a stream; the file is there whole or not at all."""
        part = file.with_name(f".part-{file.name}")
        try:
            with self._answering("GET", at, query=query, timeout_s=timeout_s) as answer, part.open("wb") as data:
                for chunk in answer.iter_bytes(_CHUNK_BYTES):
                    data.write(chunk)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)

    def put(self, at: str, into: type[T], *, body: object, **query: Any) -> T:
        return decode(self._send("PUT", at, body=body, query=query).content, into, where=at)

    def patch(self, at: str, into: type[T], *, body: object) -> T:
        return decode(self._send("PATCH", at, body=body).content, into, where=at)

    def delete(self, at: str) -> bytes:
        """Delete what is there; the answer's bytes, often none."""
        return self._send("DELETE", at).content

    def raw(self, at: str, **query: Any) -> bytes:
        """An answer as its bytes."""
        return self._send("GET", at, query=query).content

    def close(self) -> None:
        self._http.close()

    def _send(
        self,
        method: str,
        at: str,
        *,
        body: object = None,
        data: bytes | BinaryIO | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> httpx.Response:
        content = data if data is not None else (msgspec.json.encode(body) if body is not None else None)
        kind = "application/octet-stream" if data is not None else "application/json"
        sent = {"content-type": kind, **(headers or {})} if content is not None else {}
        with self._answering(method, at, content=content, headers=sent, query=query, timeout_s=timeout_s) as answer:
            answer.read()
            return answer

    @contextmanager
    def _answering(
        self,
        method: str,
        at: str,
        *,
        content: bytes | BinaryIO | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        timeout_s: float | None = None,
    ) -> Iterator[httpx.Response]:
        """A good answer whose body is yet to be read. Raises: the server's error, AnswerOverdue, ServerUnreachable."""
        params = {name: value for name, value in (query or {}).items() if value is not None}
        waiting_s = timeout_s or self._timeout_s
        timeout = httpx.Timeout(waiting_s, connect=min(waiting_s, 10.0))
        try:
            with self._http.stream(
                method, at, content=content, headers=headers, params=params, timeout=timeout
            ) as answer:
                if not answer.is_success:
                    answer.read()
                    raise self._problem(answer)
                yield answer
        except httpx.TimeoutException as error:
            raise AnswerOverdue(where=self.url, timeout_s=waiting_s) from error
        except httpx.TransportError as error:
            raise ServerUnreachable(where=self.url, reason=str(error) or type(error).__name__) from error

    def _problem(self, answer: httpx.Response) -> Exception:
        try:
            document = msgspec.json.decode(answer.content, type=dict[str, Any])
        except msgspec.DecodeError:
            return NotOpsloop(where=self.url, status=answer.status_code)
        return from_document(document, status=answer.status_code)


def _checked(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise InvalidInput(field="OPSLOOP_URL", value=url, wanted="a URL such as http://127.0.0.1:8700")
    return url.rstrip("/")
