"""Tools of installed packages, announced as Prompt flow's tool packages do: entry points named `package_tools`."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from opsloop.flows.models import Node
from opsloop.flows.nodes.port import Kit
from opsloop.flows.nodes.providers import method_of


@cache
def announced() -> Mapping[str, Mapping[str, Any]]:
    """Every announced tool by its id: `my_package.tools.my_module.my_function`."""
    tools: dict[str, Mapping[str, Any]] = {}
    for entry in entry_points(group="package_tools"):
        tools.update(entry.load()())
    return tools


def package_tool(node: Node, kit: Kit) -> Callable[..., Any]:
    """The function behind `source.tool`. Raises: FlowInvalid when no installed package has it."""
    id = node.source.tool or ""
    try:
        described = announced().get(id)
        if described is not None:
            return _described(described, node, kit)
        return _found(id, node, kit)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        known = tuple(announced())
        wanted = f"a tool of an installed package ({error}); pip install the package that brings it"
        raise kit.wrong(node, "source.tool", id, wanted, known) from None


def _described(tool: Mapping[str, Any], node: Node, kit: Kit) -> Callable[..., Any]:
    module = importlib.import_module(tool["module"])
    if tool.get("class_name"):
        return method_of(getattr(module, tool["class_name"]), tool["function"], node, kit)
    return _callable(getattr(module, tool["function"]))


def _found(id: str, node: Node, kit: Kit) -> Callable[..., Any]:
    """A tool that is not announced, by where it is: `package.module.function`, or `package.module.Class.method`."""
    place, _, name = id.rpartition(".")
    try:
        return _callable(getattr(importlib.import_module(place), name))
    except ModuleNotFoundError as error:
        module, _, kind = place.rpartition(".")
        if not module or error.name != place:
            raise
        found = getattr(importlib.import_module(module), kind)
        if not inspect.isclass(found):
            raise
        return method_of(found, name, node, kit)


def _callable(found: Any) -> Callable[..., Any]:
    if not callable(found):
        raise TypeError(f"{found!r} cannot be called")
    return found  # type: ignore[no-any-return]  # the border to an untyped package
