"""The known types of node. A module of this package registers its own; adding a type edits nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache

import opsloop.flows.nodes as package
from opsloop.flows.models import FlowFormat, Node
from opsloop.flows.nodes.port import Kit, Runner

Prepare = Callable[[Node, Kit], Runner]
_TYPES: dict[str, Prepare] = {}
# Those that a flow.dag.yaml may name; the others are the one node of a prompty or a flex flow.
_WRITTEN: set[str] = set()


def node_type(name: str, *, is_written: bool = True) -> Callable[[Prepare], Prepare]:
    """Register what prepares nodes of type `name`.

    Args:
        is_written: whether a flow's author writes nodes of this type.
    """

    def register(prepare: Prepare) -> Prepare:
        _TYPES[name] = prepare
        if is_written:
            _WRITTEN.add(name)
        return prepare

    return register


@cache
def _discovered() -> dict[str, Prepare]:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_TYPES.items()))


def written_types() -> frozenset[str]:
    """The types that a flow.dag.yaml may name."""
    _discovered()
    return frozenset(_WRITTEN)


def prepare(node: Node, kit: Kit) -> Runner:
    """A node, ready to run. Raises: FlowInvalid."""
    types = _discovered()
    is_own = kit.flow.format is not FlowFormat.DAG
    if node.type not in types or not (is_own or node.type in _WRITTEN):
        known = tuple(sorted(_WRITTEN))
        raise kit.wrong(node, "type", node.type, f"a supported type ({', '.join(known)})", known)
    return types[node.type](node, kit)
