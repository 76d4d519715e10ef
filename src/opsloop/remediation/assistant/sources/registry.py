"""Which records there are to quote; a new kind is a file here and a line below."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from opsloop.core.workspace import UnitOfWork
from opsloop.remediation.assistant.models import Text
from opsloop.remediation.assistant.sources import endpoints, events, incidents

SOURCES: tuple[Callable[[UnitOfWork, str | None], Iterator[Text]], ...] = (
    incidents.texts,
    endpoints.texts,
    events.texts,
)


def texts(uow: UnitOfWork, incident: str | None) -> list[Text]:
    """Everything that may be quoted. Args: incident: the only one that is looked at. Raises: NotFound."""
    return [text for source in SOURCES for text in source(uow, incident)]
