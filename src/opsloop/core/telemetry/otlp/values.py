"""Attributes as protobuf, whatever a value is: users' code may set any."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from opsloop._version import __version__

LONGEST_CHARS = 8_192
MOST_VALUES = 128
SCOPE = "opsloop"


def put(attributes: Any, values: Mapping[str, object]) -> None:
    """Add values to a repeated KeyValue."""
    for key, value in list(values.items())[:MOST_VALUES]:
        put_value(attributes.add(key=text(key)).value, value)


def put_value(target: Any, value: object) -> None:
    if isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int) and abs(value) < 2**63:
        target.int_value = value
    elif isinstance(value, float):
        target.double_value = value
    elif isinstance(value, list | tuple):
        target.array_value.SetInParent()
        for each in value[:MOST_VALUES]:
            put_value(target.array_value.values.add(), each)
    else:
        target.string_value = text(value)


def text(value: object) -> str:
    """At most `LONGEST_CHARS`, and valid as UTF-8."""
    found = str(value)
    return (
        (found if len(found) <= LONGEST_CHARS else found[: LONGEST_CHARS - 1] + "…").encode("utf-8", "replace").decode()
    )


@cache
def resource_of(pid: int) -> Mapping[str, str]:
    return {
        "service.name": SCOPE,
        "service.version": __version__,
        # Two processes that count the same metric are two series. Source: semantic conventions, service.instance.id.
        "service.instance.id": str(uuid.uuid4()),
        "host.name": socket.gethostname(),
        "process.pid": str(pid),
    }


def put_resource(target: Any) -> None:
    """What this process is."""
    put(target.attributes, resource_of(os.getpid()))
