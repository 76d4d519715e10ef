"""What the config of a model's release may say, checked before it serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.monitoring.drift.declared import Watching
from opsloop.releases import renewal_policy
from opsloop.releases.served import Served


def check(served: Served, config: Mapping[str, Any]) -> None:
    """Raises: InvalidInput naming the path in the config."""
    if served.kind == "model":
        renewal_policy.of_config(config)
        Watching.parse(config.get("drift"), "config.drift")
