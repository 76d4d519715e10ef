"""A node's inputs held against the parameters of the function it calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from opsloop.core.errors import OpsloopError
from opsloop.flows.connections.user_objects import is_connection_class, user_object
from opsloop.flows.errors import suggestion
from opsloop.flows.fetching import fetch
from opsloop.flows.images import as_image
from opsloop.flows.models import Literal, Node
from opsloop.flows.nodes.port import Kit
from opsloop.flows.values import WrongType, coerce, type_of_annotation

_PLAIN = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def fit(node: Node, kit: Kit, function: Callable[..., Any]) -> dict[str, Any]:
    """The node's literal inputs as its function wants them: in its types, connections as objects.

    Raises: FlowInvalid when an input is no parameter of the function, or a parameter has no input.
    """
    parameters = parameters_of(function)
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    name = getattr(function, "__name__", "its function")
    for key in node.inputs:
        if key not in parameters and not takes_any:
            wanted = f"parameters of {name}() ({', '.join(parameters) or 'none'}){suggestion(key, parameters)}"
            raise kit.wrong(node, "inputs", key, wanted)
    for key, parameter in parameters.items():
        if key not in node.inputs and parameter.default is inspect.Parameter.empty and parameter.kind in _PLAIN:
            raise kit.wrong(node, f"inputs.{key}", None, f"a value for parameter {key!r} of {name}()")
    return {
        key: literal(node, kit, key, binding.value, parameters.get(key))
        for key, binding in node.inputs.items()
        if isinstance(binding, Literal)
    }


def parameters_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """With their annotations as objects where these can be had."""
    try:
        return inspect.signature(function, eval_str=True).parameters
    except Exception:  # noqa: BLE001  users' annotations: a name that only a type checker knows leaves them as text
        return inspect.signature(function).parameters


def literal(node: Node, kit: Kit, key: str, value: Any, parameter: inspect.Parameter | None) -> Any:
    """A value of the flow's file as a parameter wants it. Raises: FlowInvalid."""
    annotation = parameter.annotation if parameter is not None else None
    if is_connection_class(annotation) and isinstance(value, str):
        return connection(node, kit, key, value, annotation, parameter)
    if _named(annotation) == "FilePath" and isinstance(value, str):
        place = kit.folder / value
        return str(place) if place.exists() else value
    try:
        if _named(annotation) == "Image":
            return as_image(value, folder=kit.folder, fetch=fetch, field=f"node {node.name}.inputs.{key}")
        type = type_of_annotation(annotation)
        return value if type is None else coerce(value, type)
    except WrongType as error:
        raise kit.wrong(node, f"inputs.{key}", value, error.wanted) from None


def connection(
    node: Node, kit: Kit, key: str, name: str, annotation: object, parameter: inspect.Parameter | None = None
) -> Any:
    """The connection of that name as an object of the users' class. Raises: FlowInvalid."""
    if not name and parameter is not None and parameter.default is not inspect.Parameter.empty:
        return parameter.default
    try:
        found = kit.connections.get(name)
        if found is not None:
            return user_object(found, annotation)
    except OpsloopError as error:
        raise kit.wrong(node, f"inputs.{key}", name, f"a connection that can be used ({error})") from error
    known = tuple(kit.connections.names())
    raise kit.wrong(node, f"inputs.{key}", name, f"a known connection ({', '.join(known) or 'none'})", known)


def _named(annotation: object) -> str:
    return annotation.rpartition(".")[2] if isinstance(annotation, str) else getattr(annotation, "__name__", "")
