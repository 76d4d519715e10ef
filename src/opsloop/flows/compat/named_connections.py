"""Connections that came as objects, by names that a flow's nodes can have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.flows.connections.classes import UserConnection


def named(
    overrides: Mapping[str, Mapping[str, Any]],
) -> tuple[dict[str, dict[str, Any]], dict[str, UserConnection]]:
    """The overrides of nodes with every connection that came as an object named, and these by their names."""
    known: dict[str, UserConnection] = {}

    def name_of(node: str, value: Any) -> Any:
        if not isinstance(value, UserConnection):
            return value
        name = value.__dict__.get("name") or f"{node}_connection"
        known[name] = value
        return name

    found = {node: {key: name_of(node, value) for key, value in inputs.items()} for node, inputs in overrides.items()}
    return found, known
