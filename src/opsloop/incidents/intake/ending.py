"""A way in which a signal ends without being told so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.models import Signal


@dataclass(frozen=True, slots=True)
class Ending:
    """Args:
    kinds: of signals that it can end.
    why: the reason for which a signal is over, in words; None while it goes on.
    """

    kinds: tuple[str, ...]
    why: Callable[[UnitOfWork, Signal], str | None]
