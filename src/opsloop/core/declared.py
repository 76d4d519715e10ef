"""Reading a declared mapping: every error names the key path, the value, the wanted form and the nearest known key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from opsloop.core.errors import InvalidInput


class DeclarationInvalid(InvalidInput):
    """What is declared is wrong at `field`, a key path such as `gate.rules[1].margin`."""

    def __init__(self, field: str, wanted: str, *, known: Iterable[str] = (), **facts: Any) -> None:
        near = get_close_matches(str(facts.get("value")), list(known), n=1)
        super().__init__(field=field, wanted=wanted + (f"; did you mean {near[0]!r}?" if near else ""), **facts)


class Declared:
    """A mapping at a key path, whose keys are all known.

    Args:
        invalid: what is raised, at a key path.
        whole: the word for what is declared, where the path is empty.
    Raises: `invalid`.
    """

    def __init__(
        self, values: object, path: str, known: tuple[str, ...], *, invalid: type[DeclarationInvalid], whole: str
    ) -> None:
        self._invalid = invalid
        if not isinstance(values, Mapping):
            raise invalid(path or whole, "a mapping of keys to values", value=values)
        self.path = path
        self.values = {key: value for key, value in values.items() if value is not None}
        for key in values:
            if key not in known:
                raise invalid(self.at(str(key)), f"one of {', '.join(known)}", known=known, value=key)

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def text(self, key: str, default: str | None = None) -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, "text")
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if key in self.values else None

    def choice(self, key: str, known: tuple[str, ...], default: str | None = None) -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str) or value not in known:
            raise self.wrong(key, f"one of {', '.join(known)}", known=known)
        return value

    def whole(self, key: str, default: int, *, least: int, most: int) -> int:
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(key, f"a whole number from {least} to {most}")
        return value

    def number(self, key: str, default: float | None = None) -> float | None:
        value = self.values.get(key, default)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, "a number")
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def mapping(self, key: str) -> dict[str, Any]:
        value = self.values.get(key, {})
        if not isinstance(value, Mapping):
            raise self.wrong(key, "a mapping of names to values")
        return {str(name): part for name, part in value.items()}

    def listing(self, key: str) -> list[Any]:
        value = self.values.get(key, [])
        if not isinstance(value, list | tuple):
            raise self.wrong(key, "a list")
        return list(value)

    def names(self, key: str) -> tuple[str, ...]:
        """A list of texts, none of them twice."""
        values = self.listing(key)
        for place, value in enumerate(values):
            if not isinstance(value, str) or not value.strip():
                raise self._invalid(f"{self.at(key)}[{place}]", "text", value=value)
            if value in values[:place]:
                raise self._invalid(f"{self.at(key)}[{place}]", "names that differ; this one is there", value=value)
        return tuple(values)

    def wrong(self, key: str, wanted: str, **facts: Any) -> DeclarationInvalid:
        if key in self.values:
            return self._invalid(self.at(key), wanted, value=self.values[key], **facts)
        return self._invalid(self.at(key), f"{wanted}; it is missing", **facts)
