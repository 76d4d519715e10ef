"""`pipelines:` in `opsloop.yaml`: what trains models, as it is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class PipelineWanted:
    """A pipeline as it is declared; files it names lie in `folder`."""

    name: str
    folder: Path
    declared: dict[str, Any]


def checked(name: str, folder: Path, values: Mapping[str, Any]) -> PipelineWanted:
    """A pipeline whose declaration is right. Raises: InvalidInput naming the key from the pipeline's name on."""
    from opsloop.training import declaration, pipeline  # only who declares pipelines needs them

    declaration.parse(values)
    pipeline.parse(declaration.learned(values), "", folder=folder)
    return PipelineWanted(name, folder, dict(values))
