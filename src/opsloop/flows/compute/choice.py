"""Where batches run, by the settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pkgutil import resolve_name

from opsloop.core.compute.settings import ComputeSettings
from opsloop.core.context import current_workspace
from opsloop.core.settings import read
from opsloop.flows.compute.in_process import InProcess
from opsloop.flows.compute.on_workers import OnWorkers
from opsloop.flows.compute.port import Compute

# By name: only a batch on Ray needs what is loaded there.
RAY = "opsloop.flows.compute.ray_session:connected"


@contextmanager
def chosen(variables: Sequence[str] = ()) -> Iterator[Compute]:
    """Where rows run while the block does.

    Args:
        variables: names of variables of this process that the flow needs on a worker too.
    Raises: ExtraNeeded, RayAway, RayInUse.
    """
    workspace = current_workspace.get(None)
    settings = read(ComputeSettings) if workspace is None else workspace.section(ComputeSettings)
    if settings.compute == "local":
        yield InProcess()
        return
    with resolve_name(RAY)(settings) as workers:
        yield OnWorkers(workers, variables)
