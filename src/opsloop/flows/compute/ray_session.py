"""Workers for the rows of a batch on a Ray that is connected to for the time of the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opsloop.core.compute import ray_session
from opsloop.core.compute.settings import ComputeSettings

if TYPE_CHECKING:
    from opsloop.flows.compute.ray_workers import RayWorkers


@contextmanager
def connected(settings: ComputeSettings) -> Iterator[RayWorkers]:
    """Workers of Ray while the block runs. Raises: ExtraNeeded, InvalidInput, RayAway, RayInUse."""
    with ray_session.connected(settings, "running a batch") as size:
        from opsloop.flows.compute.ray_workers import RayWorkers  # loads Ray, an extra

        yield RayWorkers(size, is_elsewhere=settings.ray_address is not None)
