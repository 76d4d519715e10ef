"""The connections that a flow names, with the type each has to be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsloop.flows.connections.kinds import kind_of
from opsloop.flows.models import Flow, FlowFormat, Literal, Node

_IN_VARIABLE = re.compile(r"\$\{(?P<connection>[^.{}:]+)\.[^{}]+\}")
MODEL = "azure_open_ai or open_ai"
_CONNECTION_INPUTS = ("connection", "deployment_connection")


@dataclass(frozen=True, slots=True)
class Named:
    name: str
    type: str | None
    by: str
    is_for_model: bool


def named(flow: Flow) -> Iterator[Named]:
    """Each use of a connection by name."""
    for name, text in flow.environment_variables.items():
        if found := _IN_VARIABLE.fullmatch(text):
            yield Named(found["connection"], None, f"environment variable {name}", False)
    for node in flow.nodes:
        if node.connection and node.type in ("llm", "custom_llm"):
            is_llm = node.type == "llm"
            yield Named(node.connection, _canonical(node.provider) or (MODEL if is_llm else None), node.name, is_llm)
        if node.type == "python" or node.source.type != "code":
            yield from _of_tool(flow, node)
    if flow.format is FlowFormat.PROMPTY and flow.prompty is not None:
        yield from _of_configuration(flow.prompty.model.configuration, flow.name)
    for key, value in flow.sample.init.items():
        if isinstance(value, Mapping):
            yield from _of_configuration(value, f"init {key}")


def _of_configuration(configuration: Mapping[str, Any], by: str) -> Iterator[Named]:
    name = configuration.get("connection")
    if isinstance(name, str) and name:
        yield Named(name, _canonical(configuration.get("type")) or MODEL, by, True)


def _of_tool(flow: Flow, node: Node) -> Iterator[Named]:
    annotated = _annotations(flow.folder / node.source.path) if node.source.path and node.type == "python" else {}
    for key, binding in node.inputs.items():
        if not isinstance(binding, Literal) or not isinstance(binding.value, str) or not binding.value:
            continue
        annotation = annotated.get(key, "")
        if annotation.endswith("Connection") or (not annotation and key in _CONNECTION_INPUTS):
            yield Named(binding.value, _canonical(annotation) or _own(annotation), node.name, False)


def _annotations(file: Path) -> dict[str, str]:
    """The type of each parameter of the file's functions and methods, as its last name."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return {}
    functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    arguments = [each for function in functions for each in (*function.args.args, *function.args.kwonlyargs)]
    return {each.arg: _last(each.annotation) for each in arguments if each.annotation is not None}


def _last(annotation: ast.expr) -> str:
    """`CustomConnection` of `connections.CustomConnection`, and of `Union[CustomConnection, None]`."""
    names = [name for each in ast.walk(annotation) if (name := _name(each))]
    return next((name for name in names if name.endswith("Connection")), names[0] if names else "")


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return node.id if isinstance(node, ast.Name) else ""


def _canonical(type: object) -> str | None:
    kind = kind_of(type) if isinstance(type, str) else None
    if kind is None and isinstance(type, str):
        kind = kind_of(type.replace("openai", "open_ai"))
    return None if kind is None else kind.name


def _own(annotation: str) -> str | None:
    """A team's own class is a custom connection with a class."""
    return f"custom ({annotation})" if annotation else None
