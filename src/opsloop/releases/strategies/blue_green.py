"""Blue-green: the candidate takes over at once; the release before stays warm for a rollback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.releases.plan import Plan
from opsloop.releases.strategies._options import Options, read
from opsloop.releases.strategies.registry import strategy

NAME = "blue-green"


class BlueGreenOptions(Options):
    """None so far."""


@strategy(NAME)
def plan(options: Mapping[str, Any], field: str) -> Plan:
    read(BlueGreenOptions, options, field)
    return Plan(strategy=NAME)
