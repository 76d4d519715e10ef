"""What a job works for: a pipeline, an experiment, a collection. Jobs of one kind and work belong together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.core.workspace import UnitOfWork


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of job.

    Args:
        about: what a job with a payload works for, which later ones work for too. Raises: NotFound.
    """

    kind: str
    about: Callable[[UnitOfWork, Mapping[str, Any]], str]
