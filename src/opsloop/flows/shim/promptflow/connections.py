"""Connections: where a service is and what it takes to get in. They behave as dicts, and do not print their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class _Connection(dict[str, Any]):
    """Keys are attributes too. `secrets` lists the keys that are never shown."""

    TYPE = "Connection"
    secret_names: tuple[str, ...] = ("api_key",)

    def __init__(self, name: str = "", **values: Any) -> None:
        super().__init__({key: value for key, value in values.items() if value is not None})
        self.__dict__["name"] = name

    def __getattr__(self, key: str) -> Any:
        try:
            return self[key]
        except KeyError:
            raise AttributeError(f"connection {self.__dict__.get('name')!r} has no {key!r}") from None

    @property
    def type(self) -> str:
        return self.TYPE

    @property
    def secrets(self) -> dict[str, Any]:
        return {key: self[key] for key in self.secret_names if key in self}

    @property
    def configs(self) -> dict[str, Any]:
        return {key: value for key, value in self.items() if key not in self.secret_names}

    def __repr__(self) -> str:
        hidden = ", ".join(f"{key}={'***' if key in self.secrets else repr(value)}" for key, value in self.items())
        return f"{type(self).__name__}({hidden})"

    __str__ = __repr__


class OpenAIConnection(_Connection):
    """`OpenAIConnection(api_key, base_url=…, organization=…)`."""

    TYPE = "OpenAI"

    def __init__(
        self, api_key: str = "", base_url: str | None = None, organization: str | None = None, **values: Any
    ) -> None:
        super().__init__(api_key=api_key, base_url=base_url, organization=organization, **values)


class AzureOpenAIConnection(_Connection):
    """`AzureOpenAIConnection(api_base, api_key=…, api_version=…)`."""

    TYPE = "AzureOpenAI"

    def __init__(
        self,
        api_base: str = "",
        api_key: str | None = None,
        api_type: str = "azure",
        api_version: str | None = None,
        **values: Any,
    ) -> None:
        super().__init__(api_base=api_base, api_key=api_key, api_type=api_type, api_version=api_version, **values)


class CustomConnection(_Connection):
    """`CustomConnection(secrets={…}, configs={…})`: any keys."""

    TYPE = "Custom"

    def __init__(
        self,
        secrets: Mapping[str, str] | None = None,
        configs: Mapping[str, str] | None = None,
        **values: Any,
    ) -> None:
        self.__dict__["secret_names"] = tuple(secrets or ())
        super().__init__(**values)
        self.update(configs or {})
        self.update(secrets or {})


__all__ = ["AzureOpenAIConnection", "CustomConnection", "OpenAIConnection"]
