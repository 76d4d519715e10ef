"""Whether and how long answers of a flow's release are kept: the key `cache` of its config.

cache:
  ttl_s: 300         # how long the same question gets the same answer
  shared: false      # true: also what another caller was answered; else each has its own
  documents: false   # true: also answers made from collections, for as long as those do not change
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.core.errors import InvalidInput

KEY = "cache"
MOST_S = 7 * 86_400
_FIELDS = ("ttl_s", "shared", "documents")


@dataclass(frozen=True, slots=True)
class CachePolicy:
    ttl_s: float
    shared: bool = False
    documents: bool = False


def of_config(config: Mapping[str, Any]) -> CachePolicy | None:
    """What a release's config says; None when it says nothing. Raises: InvalidInput naming the path in the config."""
    given = config.get(KEY)
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise InvalidInput(field=f"config.{KEY}", value=given, wanted="a mapping such as {ttl_s: 300}")
    for name in given:
        if name not in _FIELDS:
            raise InvalidInput(field=f"config.{KEY}.{name}", value=given[name], wanted=f"one of {', '.join(_FIELDS)}")
    ttl_s: Any = given.get("ttl_s")
    is_number = isinstance(ttl_s, int | float) and not isinstance(ttl_s, bool) and math.isfinite(ttl_s)
    if not (is_number and 0 < ttl_s <= MOST_S):
        raise InvalidInput(field=f"config.{KEY}.ttl_s", value=ttl_s, wanted=f"seconds, over 0 and at most {MOST_S:,}")
    for name in ("shared", "documents"):
        if not isinstance(given.get(name, False), bool):
            raise InvalidInput(field=f"config.{KEY}.{name}", value=given[name], wanted="true or false")
    return CachePolicy(float(ttl_s), bool(given.get("shared")), bool(given.get("documents")))
