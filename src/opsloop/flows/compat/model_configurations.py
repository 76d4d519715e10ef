"""`AzureOpenAIModelConfiguration` and `OpenAIModelConfiguration`: where a prompty's model is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from opsloop.core.errors import InvalidInput


class ModelConfiguration:
    """What both have in common."""


def _check(connection: str | None, **others: str | None) -> None:
    if connection and any(others.values()):
        given = next(name for name, value in others.items() if value)
        raise InvalidInput(
            f"model configuration: {given} is given beside connection {connection!r}; wanted one of both", field=given
        )


@dataclass
class AzureOpenAIModelConfiguration(ModelConfiguration):
    azure_deployment: str | None = None
    azure_endpoint: str | None = None
    api_version: str | None = None
    api_key: str | None = field(default=None, repr=False)
    connection: str | None = None

    def __post_init__(self) -> None:
        _check(self.connection, azure_endpoint=self.azure_endpoint, api_key=self.api_key, api_version=self.api_version)

    @classmethod
    def from_connection(cls, connection: Any, azure_deployment: str) -> AzureOpenAIModelConfiguration:
        return cls(
            azure_deployment=azure_deployment,
            azure_endpoint=connection.api_base,
            api_version=connection.api_version,
            api_key=connection.api_key,
        )


@dataclass
class OpenAIModelConfiguration(ModelConfiguration):
    model: str | None = None
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    organization: str | None = None
    connection: str | None = None

    def __post_init__(self) -> None:
        _check(self.connection, base_url=self.base_url, api_key=self.api_key, organization=self.organization)

    @classmethod
    def from_connection(cls, connection: Any, model: str) -> OpenAIModelConfiguration:
        return cls(
            model=model,
            base_url=connection.base_url,
            api_key=connection.api_key,
            organization=connection.organization,
        )
