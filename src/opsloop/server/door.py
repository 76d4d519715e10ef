"""Who calls, remembered for a moment: what the hot path may ask without a look into the database.

A key that was revoked is refused a second later at the latest: nothing here is remembered for longer.
"""

from __future__ import annotations

from starlette.datastructures import Headers

from opsloop.core.caller import Caller
from opsloop.core.clock import Clock
from opsloop.core.errors import OpsloopError
from opsloop.core.workspace import Workspace
from opsloop.server.authentication import caller_of

REMEMBERED_S = 1.0
MOST = 10_000


class Door:
    def __init__(self, workspace: Workspace, *, listens_on_loopback: bool) -> None:
        self._workspace = workspace
        self._clock: Clock = workspace.clock
        self._loopback = listens_on_loopback
        self._keys: dict[tuple[bytes, bytes | None], tuple[Caller, float]] = {}
        self._hosts: dict[bytes | None, str | None] = {}

    def remember(self, authorization: bytes, host: bytes | None, caller: Caller) -> None:
        """The caller whom a look-up of these headers has just found."""
        if len(self._keys) >= MOST:
            self._keys.clear()
        self._keys[authorization, host] = (caller, self._clock.monotonic_s() + REMEMBERED_S)

    def caller_of(self, authorization: bytes, host: bytes | None) -> Caller | None:
        """Who shows this key; None when that has to be looked up."""
        found = self._keys.get((authorization, host))
        return found[0] if found is not None and self._clock.monotonic_s() < found[1] else None

    def name_of(self, authorization: bytes | None, host: bytes | None) -> str | None:
        """The caller's name; None for whoever has to be looked up or refused."""
        if authorization is not None:
            found = self.caller_of(authorization, host)
            return None if found is None else found.name
        if host not in self._hosts:
            if len(self._hosts) >= MOST:
                self._hosts.clear()
            self._hosts[host] = self._nobody_in_particular(host)
        return self._hosts[host]

    def _nobody_in_particular(self, host: bytes | None) -> str | None:
        """Whom the platform takes a caller without a key for: that depends on the host it asked for alone."""
        headers = Headers(raw=[] if host is None else [(b"host", host)])
        try:
            return caller_of(self._workspace, headers, method="POST", listens_on_loopback=self._loopback).name
        except OpsloopError:
            return None
