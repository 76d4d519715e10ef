"""Python nodes: a function marked `@tool` in a file of the flow, or a tool of an installed package."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from opsloop.core.errors import OpsloopError
from opsloop.flows.models import Node
from opsloop.flows.nodes.arguments import fit
from opsloop.flows.nodes.callables import runner_of
from opsloop.flows.nodes.package_tools import package_tool
from opsloop.flows.nodes.port import Kit, Runner
from opsloop.flows.nodes.providers import method_of
from opsloop.flows.nodes.registry import node_type

MARK = "__tool"  # what Prompt flow's own decorator leaves on a function, so that both are known


@node_type("python")
def prepare_python(node: Node, kit: Kit) -> Runner:
    function = _function(node, kit)
    return runner_of(function, fit(node, kit, function), kit.threads)


def load_module(node: Node, kit: Kit, path: str) -> ModuleType:
    """A file of the flow, loaded. Raises: FlowInvalid when it fails to load."""
    try:
        return kit.modules.load(path)
    except OpsloopError:
        raise
    except (Exception, SystemExit) as error:  # the rim of users' code: any failure to load is the flow's fault
        raise kit.wrong(node, "source.path", path, f"Python that loads ({said(error)})") from error


def said(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"SyntaxError in line {error.lineno}: {error.msg}"
    return f"{type(error).__name__}: {error}"


def _function(node: Node, kit: Kit) -> Callable[..., Any]:
    """The function a node calls. Raises: FlowInvalid when its file has none, or fails to load."""
    if node.source.type != "code":
        return package_tool(node, kit)
    path = kit.file_of(node)
    name = node.source.path or path.name
    if path.suffix != ".py":
        raise kit.wrong(node, "source.path", name, "a file of Python (.py)")
    return _marked(load_module(node, kit, name), node, kit)


def _marked(module: ModuleType, node: Node, kit: Kit) -> Callable[..., Any]:
    own = [each for each in vars(module).values() if getattr(each, "__module__", None) == module.__name__]
    functions = [each for each in own if inspect.isfunction(each) and hasattr(each, MARK)]
    methods = [
        (kind, name)
        for kind in own
        if inspect.isclass(kind)
        for name, each in vars(kind).items()
        if inspect.isfunction(each) and hasattr(each, MARK)
    ]
    if len(functions) + len(methods) != 1:
        found = ", ".join([each.__name__ for each in functions] + [f"{kind.__name__}.{name}" for kind, name in methods])
        raise kit.wrong(node, "source.path", node.source.path, f"one function marked @tool (found {found or 'none'})")
    return functions[0] if functions else method_of(*methods[0], node, kit)
