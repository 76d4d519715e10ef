"""Settings of the registry of models."""

from __future__ import annotations

from pydantic import Field

from opsloop.core.settings import Section


class ModelSettings(Section):
    model_limit_bytes: int = Field(
        1_000_000_000, gt=0, description="Largest bundle of a model that is taken in, in bytes."
    )
    mlflow_tracking_uri: str | None = Field(
        None,
        pattern="^https?://[^/]+",
        repr=False,
        description="MLflow server that gets a copy of every new model version, as a URL; unset: none does.",
    )
    mlflow_token: str | None = Field(None, repr=False, description="Bearer token for that server, as text.")
    mlflow_experiment: str = Field("opsloop", min_length=1, description="Experiment of its runs there, as a name.")
    mlflow_timeout_s: float = Field(30.0, gt=0, description="Time that one request to it may take, in seconds.")
