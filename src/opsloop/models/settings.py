"""Settings of the registry of models."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class ModelSettings(Section):
    model_limit_bytes: int = Field(
        1_000_000_000, gt=0, description="Largest bundle of a model that is taken in, in bytes."
    )
