"""Values as a kept run holds them: cut to a size, without secrets, in what every database can store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opsloop.flows.models import Flow, ValueType
from opsloop.flows.values import plain

TEXT_CHARS = 20_000
SENTENCE_CHARS = 2_000
ITEMS = 200
RUN_CHARS = 400_000
HIDDEN = "•••"
_SHORT_SECRET = 4
_NUMBER_BITS = 1_000


class Room:
    """What is left for one run, in characters, and the secrets that must not be in it.

    Args:
        named: what to call things in sentences instead of how they are called there.
    """

    def __init__(
        self, secrets: Iterable[str] = (), *, named: Mapping[str, str] | None = None, chars: int = RUN_CHARS
    ) -> None:
        self.chars = chars
        self._named = named or {}
        self._secrets = sorted({each for each in secrets if each}, key=len, reverse=True)

    def take(self, value: Any) -> Any:
        """A value to keep: JSON without NUL and lone surrogates, cut where it is too long, secrets hidden."""
        return self._taken(plain(value))

    def sentence(self, text: str) -> str:
        """An error's sentence to keep."""
        for called, name in self._named.items():
            text = text.replace(called, name)
        return self.text(text)[:SENTENCE_CHARS]

    def text(self, text: str) -> str:
        """A text to keep, cut."""
        whole = self._without_secrets(text)
        limit = min(TEXT_CHARS, max(self.chars, 0))
        kept = whole if len(whole) <= limit else f"{whole[:limit]}… ({len(whole):,} characters in all)"
        self.chars -= len(kept)
        return kept.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()

    def _taken(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            kept = [self._taken(each) for each in value[:ITEMS]]
            return kept if len(value) <= ITEMS else [*kept, f"… ({len(value):,} items in all)"]
        if isinstance(value, int) and value.bit_length() > _NUMBER_BITS:
            return f"… (a number of {value.bit_length():,} bits)"
        self.chars -= 8
        return value

    def _object(self, value: Mapping[str, Any]) -> dict[str, Any]:
        kept = {self.text(name): self._taken(each) for name, each in list(value.items())[:ITEMS]}
        return kept if len(value) <= ITEMS else {**kept, "…": f"{len(value):,} keys in all"}

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            if text == secret:
                return HIDDEN
            if len(secret) >= _SHORT_SECRET:
                text = text.replace(secret, HIDDEN)
        return text


def secrets_of(flow: Flow, inputs: Mapping[str, Any]) -> list[str]:
    """The texts among the inputs that the flow calls secret."""
    names = [name for name, each in flow.inputs.items() if each.type is ValueType.SECRET]
    given = [inputs.get(name, flow.inputs[name].default) for name in names]
    return [each for each in given if isinstance(each, str)]
