"""`limits:` in `opsloop.yaml`: what keys and endpoints may use.

limits:
  default: {requests_per_minute: 100}
  keys: {reports: {usd_per_day: 5}}
  endpoints: {support-chat: {concurrent: 8, usd_per_month: 200}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.limits import declared
from opsloop.limits.models import Limit, Scope

_SCOPES = {"keys": Scope.KEY, "endpoints": Scope.ENDPOINT}


@dataclass(frozen=True, slots=True)
class LimitWanted:
    """What somebody is to be held to; `name` is "" of the default limit."""

    scope: Scope
    name: str
    limit: Limit

    @property
    def title(self) -> str:
        """As a step of a plan names it."""
        return f"{self.scope}/{self.name}" if self.name else self.scope.value


def checked(values: Mapping[str, Any]) -> dict[str, LimitWanted]:
    """By their titles. Raises: InvalidInput naming the key from `limits` on."""
    found: list[LimitWanted] = []
    for key, value in values.items():
        if key == "default":
            found.append(LimitWanted(Scope.DEFAULT, "", declared.limit_of(value, key)))
        elif key in _SCOPES:
            if not isinstance(value, Mapping):
                raise InvalidInput(field=key, value=value, wanted="a mapping of names to limits")
            found += [
                LimitWanted(_SCOPES[key], str(name), declared.limit_of(each, f"{key}.{name}"))
                for name, each in value.items()
            ]
        else:
            raise InvalidInput(field=key, value=value, wanted="default, keys or endpoints")
    return {each.title: each for each in found}
