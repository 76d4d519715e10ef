"""Documents of an ingest read on Ray: each goes to whichever worker is free, with its bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opsloop.core.compute import ray_session
from opsloop.core.compute.settings import ComputeSettings
from opsloop.rag.ingests.readers import Outcome, Refusal, Unread, read


@contextmanager
def on_ray(settings: ComputeSettings) -> Iterator[OnRay]:
    """Workers of Ray while the block runs. Raises: ExtraNeeded, InvalidInput, RayAway, RayInUse."""
    with ray_session.connected(settings, "reading documents") as size:
        yield OnRay(size)


class OnRay:
    """Of the Ray that this process is connected to.

    Args:
        size: documents in work at a time.
    """

    def __init__(self, size: int) -> None:
        import ray  # an extra, connected to by `on_ray`

        self._size = size
        self._ray: Any = ray
        # A document that ends its worker does so again: it is tried twice, because the machine may have been lost.
        self._read: Any = ray.remote(num_cpus=1, max_retries=1)(read)

    def read_all(self, documents: Sequence[Unread]) -> list[Outcome]:
        """What came of each document, in their order; one that ended two workers is refused."""
        found: list[Outcome] = []
        waiting: deque[tuple[Unread, Any]] = deque()
        for each in documents:
            waiting.append((each, self._read.remote(each)))
            if len(waiting) >= 2 * self._size:
                found.append(self._got(*waiting.popleft()))
        found.extend(self._got(*each) for each in waiting)
        return found

    def _got(self, unread: Unread, reference: Any) -> Outcome:
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayError:  # its words can hold some of the document
            return Refusal(f"{unread.filename}: the worker that read it ended, and so did a second; upload it again")
        return outcome
