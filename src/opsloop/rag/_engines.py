"""Modules that need numpy, which is an extra: processes that never search do not load it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from opsloop.core.errors import ExtraNeeded


def vectors() -> ModuleType:
    return _loaded("opsloop.rag.vectors.fitting")


def changing_over() -> ModuleType:
    return _loaded("opsloop.rag.vectors.changing_over")


def offered() -> ModuleType:
    return _loaded("opsloop.rag.vectors.offered")


def engine() -> ModuleType:
    return _loaded("opsloop.rag.searching.stored")


def _loaded(module: str) -> ModuleType:
    """A module that needs numpy, which is an extra: processes that never search do not load it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        raise ExtraNeeded(what="searching documents", extra="rag") from error
