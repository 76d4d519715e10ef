"""Event types: frozen dataclasses of plain values, registered under a stable name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any, ClassVar, Protocol, TypeVar


class Event(Protocol):
    """What happened, in the past tense; a frozen dataclass of JSON values."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


E = TypeVar("E")
_TYPES: dict[str, type] = {}
_NAMES: dict[type, str] = {}


def event_type(name: str) -> Callable[[type[E]], type[E]]:
    """Register a frozen dataclass as the event `name`, e.g. `rollout.rolled_back`."""

    def register(cls: type[E]) -> type[E]:
        if _TYPES.get(name, cls).__qualname__ != cls.__qualname__:
            raise ValueError(f"two event types are named {name!r}")
        _TYPES[name] = cls
        _NAMES[cls] = name
        return cls

    return register


def name_of(event: object) -> str:
    return _NAMES[type(event)]


def payload_of(event: Any) -> dict[str, Any]:
    return asdict(event)


def restore(name: str, payload: dict[str, Any]) -> Any | None:
    """The event itself, or None when this version does not know its type; fields it does not know are left out."""
    cls = _TYPES.get(name)
    if cls is None:
        return None
    known = {field.name for field in fields(cls)}
    return cls(**{key: value for key, value in payload.items() if key in known})


def known() -> dict[str, type]:
    """Every event type that the loaded parts have registered, by its name."""
    return dict(_TYPES)
