"""What a job works for, whatever its kind."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.intake import works
from opsloop.incidents.intake.work import Work

LASTING = ("endpoint", "pipeline", "preparation", "collection", "store", "dataset", "rollout", "version")
"""Members of a payload that name what outlives the job."""


def about(uow: UnitOfWork, kind: str, payload: Mapping[str, Any]) -> str:
    """`pipeline/iris`, `collection/docs`; empty where nothing tells it."""
    work = _known().get(kind)
    if work is not None:
        try:
            return work.about(uow, payload)
        except (NotFound, KeyError, IndexError, TypeError):  # its run is gone, or another version wrote the payload
            return ""
    found = [f"{name}/{payload[name]}" for name in LASTING if isinstance(payload.get(name), str)]
    return " ".join(found)[:300]


@functools.cache
def _known() -> dict[str, Work]:
    found = {}
    for each in pkgutil.iter_modules(works.__path__):
        work: Work = importlib.import_module(f"{works.__name__}.{each.name}").WORK
        found[work.kind] = work
    return found
