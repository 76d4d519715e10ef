"""What an experiment declares, read."""

from __future__ import annotations

from opsloop.core.declared import Declared
from opsloop.evaluation.errors import ExperimentInvalid


def declared(values: object, path: str, known: tuple[str, ...]) -> Declared:
    """A part of the experiment at a key path. Raises: ExperimentInvalid."""
    return Declared(values, path, known, invalid=ExperimentInvalid, whole="experiment")
