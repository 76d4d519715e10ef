"""Datasets for the Python nodes of a flow: `from opsloop import read_dataset`, a name in, plain JSON values out."""

from __future__ import annotations

from typing import Any

from opsloop.core.caller import Caller, Role
from opsloop.core.context import workspace_of_run
from opsloop.datasets import service

READER = Caller("system:flows", Role.VIEWER)


def read_dataset(name: str) -> list[dict[str, Any]]:
    """The rows of a dataset, or of one version (`figures@3`), as they were registered, in order.

    Works on the workspace of the run it is called from.
    Raises: NoWorkspace outside a run; DatasetMissing naming the nearest known name.
    """
    with workspace_of_run("read_dataset").reading(READER) as uow:
        return list(service.rows(uow, service.get(uow, name)))
