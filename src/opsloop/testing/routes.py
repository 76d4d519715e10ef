"""Which path is which: OpenAI's with and without `/v1`, and Azure's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from opsloop.testing.chat import NAME as CHAT
from opsloop.testing.chat import Chat
from opsloop.testing.completions import NAME as COMPLETIONS
from opsloop.testing.completions import Completions
from opsloop.testing.embeddings import NAME as EMBEDDINGS
from opsloop.testing.embeddings import Embeddings
from opsloop.testing.reply import Asked

_PATHS = {"chat/completions": CHAT, "completions": COMPLETIONS, "embeddings": EMBEDDINGS}
_READ: dict[str, Callable[[bytes], Asked]] = {CHAT: Chat, COMPLETIONS: Completions, EMBEDDINGS: Embeddings}
_DEPLOYMENT = re.compile(r"/openai/deployments/(?P<deployment>[^/]+)/(?P<path>.+)")


@dataclass(frozen=True, slots=True)
class Route:
    """A path that a model answers. `deployment`: Azure's name for the model, when the path holds it."""

    endpoint: str
    read: Callable[[bytes], Asked]
    deployment: str | None = None


PREFIXES = ("/v1", "", "/openai/v1")
_ROUTES = {f"{prefix}/{path}": Route(name, _READ[name]) for path, name in _PATHS.items() for prefix in PREFIXES}
MODELS = frozenset(f"{prefix}/models" for prefix in PREFIXES)


def route_of(path: str) -> Route | None:
    """Raises nothing: a path that no model answers is None."""
    if (route := _ROUTES.get(path)) is not None:
        return route
    found = _DEPLOYMENT.fullmatch(path)
    name = _PATHS.get(found["path"]) if found else None
    return Route(name, _READ[name], found["deployment"]) if found and name else None
