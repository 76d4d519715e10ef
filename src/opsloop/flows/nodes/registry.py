"""The known types of node. A module of this package registers its own; adding a type edits nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache

import opsloop.flows.nodes as package
from opsloop.flows.models import Node
from opsloop.flows.nodes.port import Kit, Runner

Prepare = Callable[[Node, Kit], Runner]
_TYPES: dict[str, Prepare] = {}


def node_type(name: str) -> Callable[[Prepare], Prepare]:
    """Register what prepares nodes of type `name`."""

    def register(prepare: Prepare) -> Prepare:
        _TYPES[name] = prepare
        return prepare

    return register


@cache
def _discovered() -> dict[str, Prepare]:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_TYPES.items()))


def prepare(node: Node, kit: Kit) -> Runner:
    """A node, ready to run. Raises: FlowInvalid."""
    types = _discovered()
    if node.type not in types:
        known = tuple(types)
        raise kit.wrong(node, "type", node.type, f"a supported type ({', '.join(known)})", known)
    return types[node.type](node, kit)
