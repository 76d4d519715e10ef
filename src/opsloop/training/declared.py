"""What a pipeline declares, read."""

from __future__ import annotations

from opsloop.core.declared import Declared
from opsloop.training.errors import PipelineInvalid


def declared(values: object, path: str, known: tuple[str, ...]) -> Declared:
    """A part of the pipeline at a key path. Raises: PipelineInvalid."""
    return Declared(values, path, known, invalid=PipelineInvalid, whole="pipeline")
