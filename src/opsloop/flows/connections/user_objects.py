"""A connection as an object for users' Python: of the class that their code knows."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from opsloop.flows.connections.errors import ConnectionInvalid
from opsloop.flows.connections.models import Connection


def user_object(connection: Connection, wanted: object = None) -> Any:
    """The object for a parameter.

    Args:
        wanted: the class that the parameter is annotated with; a team's own one is made from a custom connection.
    Raises: ConnectionInvalid when the class of the connection is not there.
    """
    own = _strong_type(connection, wanted)
    known = importlib.import_module("promptflow.connections")
    if own is not None:
        made = own(secrets=dict(connection.secrets), configs=dict(connection.configs))
    elif connection.kind.takes_any:
        made = known.CustomConnection(secrets=dict(connection.secrets), configs=dict(connection.configs))
    else:
        made = getattr(known, connection.kind.class_name)(**connection.values)
    # The name is no argument of every class of every version of Prompt flow, and all of them have it as an attribute.
    if isinstance(getattr(made, "__dict__", None), dict):
        made.__dict__["name"] = connection.name
    return made


def is_connection_class(annotation: object) -> bool:
    """Whether a parameter asks for a connection: a class of Prompt flow's connections or derived from one of them."""
    if isinstance(annotation, str):
        return annotation.rpartition(".")[2].endswith("Connection")
    if not inspect.isclass(annotation):
        return any(is_connection_class(each) for each in getattr(annotation, "__args__", ()))
    return any(_is_of_promptflow(base) for base in annotation.__mro__)


def _is_of_promptflow(base: type) -> bool:
    top, is_named = base.__module__.partition(".")[0], base.__name__.endswith("Connection")
    return is_named and (top == "promptflow" or base.__module__ == "opsloop.flows.connections.classes")


def _strong_type(connection: Connection, wanted: object) -> Any:
    """A team's own class of connection: that of the parameter, or the one the connection names."""
    if not connection.kind.takes_any:
        return None
    if inspect.isclass(wanted) and "CustomStrongTypeConnection" in {base.__name__ for base in wanted.__mro__[1:]}:
        return wanted
    if connection.module is None or connection.custom_type is None:
        return None
    try:
        return getattr(importlib.import_module(connection.module), connection.custom_type)
    except (ImportError, AttributeError) as error:
        what = f"{connection.module}.{connection.custom_type}"
        wanted_form = "a class of an installed package; pip install the package that brings it"
        field = f"connection {connection.name}.custom_type"
        raise ConnectionInvalid(
            f"{field} is {what!r} ({error}); wanted {wanted_form}", field=field, wanted=wanted_form
        ) from error
