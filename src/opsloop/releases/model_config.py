"""What the config of a release may say, checked before it serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.monitoring.drift.declared import Watching
from opsloop.releases import cache_policy, hedge_policy, renewal_policy
from opsloop.releases.served import Served


def check(served: Served, config: Mapping[str, Any]) -> None:
    """Raises: InvalidInput naming the path in the config."""
    if served.kind == "model":
        renewal_policy.of_config(config)
        Watching.parse(config.get("drift"), "config.drift")
        for key in (cache_policy.KEY, hedge_policy.KEY):
            if config.get(key) is not None:
                raise InvalidInput(field=f"config.{key}", value=config[key], wanted="nothing: it is for flows")
    else:
        cache_policy.of_config(config)
        hedge_policy.of_config(config)
