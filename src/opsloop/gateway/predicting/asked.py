"""What the routes for predictions need of whoever serves: a gateway, or a service of one model."""

from __future__ import annotations

from typing import Protocol

from opsloop.gateway.calls import Call
from opsloop.gateway.predicting.exchange import ModelDialect
from opsloop.gateway.predicting.held import Models
from opsloop.releases.routing import Route


class ModelRoutes(Protocol):
    @property
    def is_settled(self) -> bool: ...

    async def look_for_default_model(self) -> str:
        """Raises: NoModelEndpoint."""
        ...

    async def route(self, name: str) -> Route:
        """Raises: UnknownEndpoint, NothingReleased."""
        ...


class Asked(Protocol):
    @property
    def routes(self) -> ModelRoutes: ...
    @property
    def arms(self) -> Models: ...

    async def body(self, call: Call) -> bytes: ...

    async def predict(self, call: Call, endpoint: str, dialect: ModelDialect, *, user: str | None) -> None: ...
