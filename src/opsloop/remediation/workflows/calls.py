"""One request to the API of a CI system: no redirects, bounds on time and on what is read, no token in a sentence."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import httpx

from opsloop._version import __version__
from opsloop.remediation.workflows.errors import CiAway, CiHasNone, CiRefuses, NotOurWorkflow, TokenMissing

READ_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Ci:
    """A CI system. Args: system: its name for sentences; headers: with the token."""

    system: str
    url: str
    headers: dict[str, str]
    timeout_s: float

    def get(self, path: str, *, what: str, **query: str) -> dict[str, Any]:
        """Raises: CiHasNone, CiRefuses, CiAway."""
        return self._asked("GET", path, None, what, query)

    def post(self, path: str, body: dict[str, Any] | None, *, what: str, **query: str) -> dict[str, Any]:
        """Raises: CiHasNone, CiRefuses: nothing was started; CiAway: it may have been."""
        return self._asked("POST", path, body, what, query)

    def _asked(
        self, method: str, path: str, body: dict[str, Any] | None, what: str, query: dict[str, str]
    ) -> dict[str, Any]:
        headers = {"user-agent": f"opsloop/{__version__}"} | self.headers
        try:
            with (
                httpx.Client(timeout=self.timeout_s, follow_redirects=False) as client,
                client.stream(method, self.url.rstrip("/") + path, json=body, params=query, headers=headers) as answer,
            ):
                said = _read(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CiAway(system=self.system, what=what, said=type(error).__name__) from None
        if answer.status_code == 404:
            raise CiHasNone(system=self.system, name=what, noun="run")
        if 300 <= answer.status_code < 500:
            raise CiRefuses(system=self.system, status=answer.status_code, what=what)
        if answer.status_code >= 500:
            raise CiAway(system=self.system, what=what, said=str(answer.status_code))
        return _object(said)


def check_allowed(name: str, patterns: list[str], setting: str) -> None:
    """Raises: NotOurWorkflow. Cases do not count: neither system tells them apart."""
    if not any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns):
        raise NotOurWorkflow(name=name, setting=setting, allowed=", ".join(patterns) or "none")


def check_token(token: str | None, setting: str) -> str:
    """Raises: TokenMissing."""
    if not token or not token.isascii() or not token.isprintable():
        raise TokenMissing(f"setting {setting}: is not set; wanted a token of the system", field=setting)
    return token


def _read(answer: httpx.Response) -> bytes:
    said = bytearray()
    for part in answer.iter_bytes():
        said += part
        if len(said) > READ_BYTES:
            return b""
    return bytes(said)


def _object(said: bytes) -> dict[str, Any]:
    """What an answer holds; that of a dispatch is empty."""
    try:
        found = json.loads(said or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
