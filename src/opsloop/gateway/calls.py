"""One HTTP request on its way through a route."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Receive, Scope

from opsloop.gateway.outlet import Outlet


@dataclass(frozen=True, slots=True)
class Call:
    scope: Scope
    receive: Receive
    out: Outlet
    request_id: str
