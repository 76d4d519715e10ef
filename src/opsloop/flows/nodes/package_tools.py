"""Tools of installed packages, announced as Prompt flow's tool packages do: entry points named `package_tools`."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from opsloop.flows.models import Literal, Node
from opsloop.flows.nodes.port import Kit


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
            return _described(described, node)
        module, _, name = id.rpartition(".")
        return _callable(getattr(importlib.import_module(module), name))
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        known = tuple(announced())
        wanted = f"a tool of an installed package ({error}); pip install the package that brings it"
        raise kit.wrong(node, "source.tool", id, wanted, known) from None


def _described(tool: Mapping[str, Any], node: Node) -> Callable[..., Any]:
    module = importlib.import_module(tool["module"])
    if not tool.get("class_name"):
        return _callable(getattr(module, tool["function"]))
    kind = getattr(module, tool["class_name"])
    taken = inspect.signature(kind).parameters
    given = {key: each.value for key, each in node.inputs.items() if key in taken and isinstance(each, Literal)}
    method = _callable(getattr(kind(**given), tool["function"]))

    def call(**inputs: Any) -> Any:
        return method(**{key: value for key, value in inputs.items() if key not in taken})

    return call


def _callable(found: Any) -> Callable[..., Any]:
    if not callable(found):
        raise TypeError(f"{found!r} cannot be called")
    return found  # type: ignore[no-any-return]  # the border to an untyped package
