"""Inputs of nodes that a run replaces, as the `connections` of Prompt flow's run files do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opsloop.flows.errors import FlowInvalid
from opsloop.flows.formats.references import bind
from opsloop.flows.models import Flow, Node


def overridden(flow: Flow, overrides: Mapping[str, Mapping[str, Any]]) -> Flow:
    """The flow with inputs of its nodes replaced.

    Args:
        overrides: by node, input to value; `connection` of an LLM node replaces its connection.
    Raises: FlowInvalid when there is no such node.
    """
    known = [node.name for node in flow.nodes]
    for name in overrides:
        if name not in known:
            wanted = f"a node of the flow ({', '.join(known)})"
            raise FlowInvalid(file=flow.file, field="connections", value=name, wanted=wanted, known=known)
    if not overrides:
        return flow
    return replace(flow, nodes=tuple(_overridden(node, overrides.get(node.name, {})) for node in flow.nodes))


def _overridden(node: Node, values: Mapping[str, Any]) -> Node:
    inputs = {**node.inputs, **{key: bind(value) for key, value in values.items()}}
    if node.type == "llm" and "connection" in values:
        inputs.pop("connection")
        return replace(node, inputs=inputs, connection=str(values["connection"]))
    return replace(node, inputs=inputs)
