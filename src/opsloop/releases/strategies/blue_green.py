"""Blue-green: the candidate takes over at once; the release before stays warm for a rollback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.releases.plan import Plan
from opsloop.releases.strategies._options import read
from opsloop.releases.strategies._way import WayOptions, on_its_way
from opsloop.releases.strategies.registry import strategy

NAME = "blue-green"


class BlueGreenOptions(WayOptions):
    """None of its own."""


@strategy(NAME)
def plan(options: Mapping[str, Any], field: str) -> Plan:
    return on_its_way(Plan(strategy=NAME), read(BlueGreenOptions, options, field))
