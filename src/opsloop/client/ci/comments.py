"""One comment on a pull request, made once and then kept up to date, whatever the host.

The comment begins with a mark that no reader sees. Only a comment of our own that has it is changed: anybody may write
such a mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import msgspec

from opsloop._version import __version__
from opsloop.core.errors import Failed, InvalidInput, Unavailable

MOST_CHARS = 65_536
TIMEOUT_S = 30.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class CommentRefused(Failed):
    template = "{host} refused the comment ({status}): {reason}; {hint}"


class HostUnreachable(Unavailable):
    template = "{host} could not be reached for the comment: {reason}"


@dataclass(frozen=True, slots=True)
class Put:
    """Where the comment is, and whether it is new."""

    url: str
    is_new: bool


class CommentHost(Protocol):
    """Where pull requests live; it knows which one is meant."""

    def put(self, mark: str, body: str) -> Put:
        """Write the comment that begins with `mark`, in place of our own earlier one. Raises: CommentRefused."""
        ...


def mark_of(name: str) -> str:
    """The invisible beginning of a comment: one comment per name."""
    plain = "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in name)
    return f"<!-- opsloop:{'-'.join(part for part in plain.split('-') if part)} -->"


def put(host: CommentHost, name: str, text: str) -> Put:
    """Write a report as the comment of this name."""
    mark = mark_of(name)
    return host.put(mark, f"{mark}\n{text}"[:MOST_CHARS])


def needed(environment: Mapping[str, str], name: str, what: str) -> str:
    """A variable that the host sets. Raises: InvalidInput naming it."""
    if value := environment.get(name, "").strip():
        return value
    raise InvalidInput(f"{name} is not set: {what}", field=name)


class Api:
    """JSON over HTTP to one host.

    Args:
        host: its name, for sentences; hint: what to do when it refuses.
        url: where it answers; the token goes only over https, or to this machine.
    """

    def __init__(self, host: str, url: str, headers: Mapping[str, str], hint: str) -> None:
        parsed = httpx.URL(url)
        if parsed.scheme != "https" and parsed.host not in _LOOPBACK:
            raise InvalidInput(field=f"address of {host}", value=url, wanted="https, for a token is sent there")
        self._host = host
        self._hint = hint
        self._http = httpx.Client(
            base_url=url.rstrip("/") + "/",
            headers={"user-agent": f"opsloop/{__version__}", **headers},
            timeout=TIMEOUT_S,
            transport=httpx.HTTPTransport(retries=2),
        )

    def send(self, method: str, at: str, body: object = None, **query: Any) -> Any:
        """The answer's JSON. Raises: CommentRefused, HostUnreachable."""
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"content-type": "application/json"}
        try:
            answer = self._http.request(method, at.lstrip("/"), content=content, headers=headers, params=query)
        except httpx.TransportError as error:
            raise HostUnreachable(host=self._host, reason=str(error) or type(error).__name__) from error
        if not answer.is_success:
            reason = " ".join(answer.text.split())[:300]
            raise CommentRefused(host=self._host, status=answer.status_code, reason=reason, hint=self._hint)
        try:
            return msgspec.json.decode(answer.content)
        except msgspec.DecodeError as error:
            raise CommentRefused(
                host=self._host, status=answer.status_code, reason="the answer is no JSON", hint=self._hint
            ) from error
