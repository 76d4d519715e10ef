"""What a watch needs of a way to detect drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from opsloop.monitoring.alarms.models import Evidence


class Reading(Protocol):
    """What a detector says after some rows.

    `detected` stays true from an alarm on (z-score: it is of these rows); `score` is 1 at an alarm; `is_new` is true
    once per alarm.
    """

    @property
    def detected(self) -> bool: ...
    @property
    def score(self) -> float: ...
    @property
    def is_new(self) -> bool: ...


class Detecting(Protocol):
    """A detector in memory, for one thread at a time."""

    def update(self, X: Any, predictions: Any, at_s: float) -> Reading: ...

    def checkpoint(self) -> bytes:
        """Everything it knows, for `Method.restored`."""
        ...


class Method(Protocol):
    """A fitted reference and the ways to watch against it.

    `about` holds what a page shows of it, JSON values: the method, the set rate of false alarms, the block, delays.
    """

    @property
    def is_lasting(self) -> bool:
        """Whether `detected` lasts from an alarm until it is closed."""
        ...

    @property
    def about(self) -> Mapping[str, Any]: ...

    def new(self) -> Detecting: ...

    def restored(self, state: bytes) -> Detecting:
        """A detector that goes on where another one was. Raises: ValueError for a state of another reference."""
        ...

    def together(self, states: Sequence[bytes]) -> Detecting:
        """The evidence of several replicas as that of one detector."""
        ...

    def is_alarmed(self, detector: Detecting) -> bool:
        """Whether a detector is past its alarm."""
        ...

    def score(self, detector: Detecting) -> float: ...

    def figures(self, detector: Detecting) -> dict[str, float]:
        """The evidence of each feature, in the scale of `Reading.score`."""
        ...

    def evidence(self, detector: Detecting) -> Evidence:
        """What an alarm of this detector says."""
        ...
