"""Whether a flow's release may ask a model a second time when the first call is slow: the key `hedge` of its config.

hedge:
  after_ms: p95      # when: where 95 of 100 calls have ended, or a number of milliseconds
  max_share: 0.05    # of all calls, at most so many
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.llm.hedging import HedgePolicy

KEY = "hedge"
P95 = "p95"
LEAST_MS, MOST_MS = 1, 600_000
DEFAULT_SHARE, MOST_SHARE = 0.05, 0.5
_FIELDS = ("after_ms", "max_share")


def of_config(config: Mapping[str, Any]) -> HedgePolicy | None:
    """What a release's config says; None when it says nothing. Raises: InvalidInput naming the path in the config."""
    given = config.get(KEY)
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise InvalidInput(field=f"config.{KEY}", value=given, wanted="a mapping such as {after_ms: p95}")
    for name in given:
        if name not in _FIELDS:
            raise InvalidInput(field=f"config.{KEY}.{name}", value=given[name], wanted=f"one of {', '.join(_FIELDS)}")
    after_ms, share = given.get("after_ms", P95), given.get("max_share", DEFAULT_SHARE)
    if after_ms != P95 and not (_is_number(after_ms) and LEAST_MS <= after_ms <= MOST_MS):
        wanted = f"{P95}, or milliseconds from {LEAST_MS} to {MOST_MS:,}"
        raise InvalidInput(field=f"config.{KEY}.after_ms", value=after_ms, wanted=wanted)
    if not (_is_number(share) and 0 < share <= MOST_SHARE):
        raise InvalidInput(field=f"config.{KEY}.max_share", value=share, wanted=f"over 0 and at most {MOST_SHARE}")
    return HedgePolicy(None if after_ms == P95 else after_ms / 1000, float(share))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
