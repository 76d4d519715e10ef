"""Model configurations that users' classes are made with: `AzureOpenAIModelConfiguration` and its like."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from opsloop.flows.connections.lookup import Connections
from opsloop.flows.connections.models import Connection

_CLASSES = ("AzureOpenAIModelConfiguration", "OpenAIModelConfiguration")


def is_model_configuration(annotation: object) -> bool:
    return _class_name(annotation) is not None


def as_model_configuration(value: Mapping[str, Any] | str, annotation: object, connections: Connections) -> Any:
    """The object that a class wants, with the values of the connection that is named, where it is known.

    Args:
        value: the fields, or the name of a connection alone.
    Raises: ConnectionInvalid; TypeError when a field is none of the class.
    """
    name = _class_name(annotation)
    assert name is not None
    kind = getattr(importlib.import_module("promptflow.core"), name)
    fields = {"connection": value} if isinstance(value, str) else {k: v for k, v in value.items() if k != "type"}
    named = fields.get("connection")
    found = connections.get(named) if isinstance(named, str) else None
    if found is None:
        return kind(**fields)
    fields.pop("connection")
    return kind(**{**_fields_of(found, name), **fields})


def _fields_of(connection: Connection, name: str) -> dict[str, Any]:
    values = connection.values
    if name.startswith("Azure"):
        return {
            "azure_endpoint": values.get("api_base"),
            "api_version": values.get("api_version"),
            "api_key": values.get("api_key"),
        }
    return {key: values.get(key) for key in ("base_url", "api_key", "organization")}


def _class_name(annotation: object) -> str | None:
    """Which of the classes a parameter asks for; of several that it takes the first."""
    if isinstance(annotation, str):
        return next((name for name in _CLASSES if annotation.rpartition(".")[2] == name), None)
    if inspect.isclass(annotation):
        return annotation.__name__ if annotation.__name__ in _CLASSES else None
    parts = (_class_name(each) for each in getattr(annotation, "__args__", ()))
    return next((name for name in parts if name is not None), None)
