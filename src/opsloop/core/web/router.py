"""Routers whose routes are read when they are first asked for.

What FastAPI makes of a function's signature, models and validators, takes milliseconds per route, and the platform has
hundreds: a third of its start, and of every command that runs without a server. One process is asked for few of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter  # noqa: TID251 (what ours is made of)
from fastapi.routing import APIRoute
from starlette.routing import Match, compile_path, get_name
from starlette.types import Scope

_OF_PATH = ("path_regex", "path_format", "param_convertors")
# Applications of one process share their routes, and may run in threads of their own.
_READING = threading.RLock()


class Router(APIRouter):
    """A router of `LateRoute`s."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=LateRoute, **options)

    def join(self, other: APIRouter) -> None:
        """Take over another's routes as they are; `include_router` would make each anew."""
        self.routes.extend(other.routes)


class LateRoute(APIRoute):
    """A route that knows its path, and becomes a whole one when anything else of it is asked for.

    What is wrong with its function shows only then; a test reads them all.
    """

    # FastAPI's own `__init__` is called late, by `__getattr__`.
    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: set[str] | list[str] | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        self._options = {**options, "methods": methods, "name": name}
        self._beginning = path.partition("{")[0]
        self.path = path
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self.methods = {each.upper() for each in methods or ("GET",)}

    def __getattr__(self, attribute: str) -> Any:
        # Only what is not there comes here: `__getattribute__` at the end says so where a whole route has none either.
        if attribute in _OF_PATH:
            self.path_regex, self.path_format, self.param_convertors = compile_path(self.path)
        else:
            with _READING:
                if (options := self.__dict__.pop("_options", None)) is not None:
                    super().__init__(self.path, self.endpoint, **options)
        return self.__getattribute__(attribute)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and not scope.get("root_path") and not scope["path"].startswith(self._beginning):
            return Match.NONE, {}
        return super().matches(scope)
