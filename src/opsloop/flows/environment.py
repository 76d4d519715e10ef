"""The environment variables that a flow asks for.

They are set in this process, for users' code reads them there; so two flows that want different values for one name
cannot share a process, which is told.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

from opsloop.flows.connections import lookup
from opsloop.flows.connections.lookup import Connections
from opsloop.flows.errors import FlowInvalid
from opsloop.flows.models import Flow

log = structlog.get_logger()
_OF_CONNECTION = re.compile(r"\$\{(?P<connection>[^.{}:]+)\.(?P<key>[^{}]+)\}")
_set_here: dict[str, str] = {}
_lock = threading.Lock()


def set_variables(flow: Flow, connections: Connections) -> None:
    """Set the variables of a flow, where the environment does not have them already.

    A value of the form `${connection.key}` is taken from a connection. Raises: FlowInvalid, ConnectionInvalid.
    """
    with _lock:
        for name, written in flow.environment_variables.items():
            if name in os.environ and name not in _set_here:
                continue  # whoever runs the flow knows better than its file
            value = value_of(flow.file, name, written, connections)
            if _set_here.get(name, value) != value:
                log.warning("environment_variable_changed", variable=name, flow=flow.name)
            _check(flow.file, name, value)
            os.environ[name] = _set_here[name] = value


@contextmanager
def for_a_while(written: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process while the block runs.

    Raises: FlowInvalid when a connection they name is not there.
    """
    connections = lookup.here() if written else None
    values = {
        name: value_of("run", name, text, connections) for name, text in written.items() if connections is not None
    }
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _check(file: str, name: str, value: str) -> None:
    if not name or "=" in name or "\0" in name + value:
        wanted = "a name without '=', and text without NUL"
        raise FlowInvalid(file=file, field="environment_variables", value=name, wanted=wanted)


def value_of(file: str, name: str, written: str, connections: Connections) -> str:
    """What a variable written in a file is set to. Raises: FlowInvalid, ConnectionInvalid."""
    found = _OF_CONNECTION.fullmatch(written)
    if found is None:
        return written
    connection = connections.get(found["connection"])
    known = connections.names() if connection is None else list(connection.values)
    value = None if connection is None else connection.values.get(found["key"])
    if value is None:
        what = "a known connection" if connection is None else f"something {found['connection']} has"
        field = f"environment_variables.{name}"
        raise FlowInvalid(file=file, field=field, value=written, wanted=f"{what} ({', '.join(known) or 'none'})")
    return value
