"""A step that a thread tries again and again: its trouble is told when it begins or changes, not at every try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from opsloop.core.errors import OpsloopError

log = structlog.get_logger()


class Trouble:
    """Args: event: what a log line about it is called, e.g. `events_not_delivered`."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._told: str | None = None

    @contextmanager
    def told(self) -> Iterator[None]:
        """The rim of a thread: whatever the block raises goes to the log and no further."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 (the rim of a thread; the next try may go well)
            self._tell(error)
        else:
            if self._told is not None:
                log.info("works_again", after=self._event)
            self._told = None

    def _tell(self, error: Exception) -> None:
        told, self._told = self._told, f"{type(error).__name__}: {error}"
        if told == self._told:
            return
        if isinstance(error, OpsloopError):
            log.warning(self._event, reason=error.sentence)
        else:  # a defect: it is told with the place where it is
            log.error(self._event, exc_info=error)
