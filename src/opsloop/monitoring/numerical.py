"""Looking at the rows of models needs numpy, which comes with an extra: it is loaded when somebody looks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opsloop.core.errors import ExtraNeeded


@contextmanager
def loading() -> Iterator[None]:
    """For imports of what needs it. Raises: ExtraNeeded when it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ExtraNeeded(what="looking at the rows of a model", extra="models") from error
