"""A model's whole response as users' Python reads it: `response.choices[0].message.content`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Response(dict[str, Any]):
    """A mapping whose keys are attributes too; what a response does not have is None, as in OpenAI's client."""

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        return self.get(key)

    def model_dump(self, **_: Any) -> dict[str, Any]:
        found: dict[str, Any] = _plain(self)
        return found


def as_response(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Response({key: as_response(part) for key, part in value.items()})
    return [as_response(part) for part in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value
