"""The known kinds of places. A module of this package registers its own; adding one edits nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import opsloop.datasets.connectors as package
from opsloop.datasets.connectors.address import Address, PlaceKind
from opsloop.datasets.connectors.port import Connector

_CONNECTORS: dict[PlaceKind, Connector] = {}


def register(kind: PlaceKind, connector: Connector) -> None:
    _CONNECTORS[kind] = connector


@cache
def known() -> dict[PlaceKind, Connector]:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(_CONNECTORS)


def of(address: Address) -> Connector:
    """What reads and writes places of this kind."""
    return known()[address.kind]
