"""The connection objects that users' Python is given where Prompt flow is not installed.

Their names, fields and behaviour are those that flows count on: fields are attributes and keys, `secrets` and `configs`
are mappings, and printing one shows no secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from opsloop.flows.connections.errors import ConnectionInvalid
from opsloop.flows.connections.kinds import ConnectionKind, kind_of


def _kind(name: str) -> ConnectionKind:
    kind = kind_of(name)
    assert kind is not None, name
    return kind


class UserConnection(dict[str, Any]):
    """A connection as users' Python sees it."""

    KIND: ClassVar[ConnectionKind] = _kind("custom")

    def __init__(self, name: str = "", **values: Any) -> None:
        super().__init__({key: value for key, value in values.items() if value is not None})
        self.__dict__["name"] = name
        for key, default in self.KIND.fields.items():
            self.setdefault(key, default)

    def __getattr__(self, key: str) -> Any:
        try:
            return self[key]
        except KeyError:
            raise AttributeError(f"connection {self.__dict__.get('name')!r} has no {key!r}") from None

    def __setattr__(self, key: str, value: Any) -> None:
        self[key] = value

    @property
    def TYPE(self) -> str:
        return self.KIND.label

    @property
    def type(self) -> str:
        return self.KIND.label

    @property
    def secret_names(self) -> tuple[str, ...]:
        return self.KIND.secrets

    @property
    def secrets(self) -> dict[str, Any]:
        return _Part(self, {key: self[key] for key in self.secret_names if key in self})

    @property
    def configs(self) -> dict[str, Any]:
        return _Part(self, {key: value for key, value in self.items() if key not in self.secret_names})

    def _to_dict(self) -> dict[str, Any]:
        """What some flows print of a connection; no secret is in it."""
        about = {"name": self.__dict__.get("name"), "type": self.KIND.name}
        return {**about, **self.configs, **dict.fromkeys(self.secrets, "***")}

    def __repr__(self) -> str:
        shown = [f"{key}={'***' if key in self.secrets else repr(value)}" for key, value in self.items()]
        return f"{type(self).__name__}({', '.join(shown)})"

    __str__ = __repr__

    def __reduce__(self) -> Any:  # so that copying keeps the name
        return _again, (type(self), self.__dict__.copy(), dict(self))


class _Part(dict[str, Any]):
    """Some of a connection's values; what is set here is set in the connection."""

    def __init__(self, connection: UserConnection, values: dict[str, Any]) -> None:
        super().__init__(values)
        self._connection = connection

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._connection[key] = value

    def __reduce__(self) -> Any:  # a copy is a mapping by itself
        return dict, (dict(self),)


def _again(kind: type[UserConnection], about: dict[str, Any], values: dict[str, Any]) -> UserConnection:
    made = kind.__new__(kind)
    made.__dict__.update(about)
    made.update(values)
    return made


class OpenAIConnection(UserConnection):
    KIND = _kind("open_ai")

    def __init__(
        self, api_key: str | None = None, organization: str | None = None, base_url: str | None = None, **values: Any
    ) -> None:
        super().__init__(api_key=api_key, organization=organization, base_url=base_url, **values)

    @classmethod
    def from_env(cls, name: str = "") -> OpenAIConnection:
        """From OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_ORG_ID. Raises: ConnectionInvalid."""
        return cls(
            name=name,
            api_key=_from_env("OPENAI_API_KEY"),
            base_url=os.environ.get("OPENAI_BASE_URL"),
            organization=os.environ.get("OPENAI_ORG_ID"),
        )


class AzureOpenAIConnection(UserConnection):
    KIND = _kind("azure_open_ai")

    def __init__(
        self,
        api_key: str | None = None,
        api_base: str | None = None,
        api_type: str | None = None,
        api_version: str | None = None,
        auth_mode: str | None = None,
        **values: Any,
    ) -> None:
        super().__init__(
            api_key=api_key,
            api_base=api_base or values.pop("azure_endpoint", None),
            api_type=api_type,
            api_version=api_version,
            auth_mode=auth_mode,
            **values,
        )

    @property
    def azure_endpoint(self) -> Any:
        return self["api_base"]

    @classmethod
    def from_env(cls, name: str = "") -> AzureOpenAIConnection:
        """From AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and OPENAI_API_VERSION. Raises: ConnectionInvalid."""
        return cls(
            name=name,
            api_base=_from_env("AZURE_OPENAI_ENDPOINT"),
            api_key=os.environ.get("AZURE_OPENAI_API_KEY"),
            api_version=os.environ.get("OPENAI_API_VERSION"),
        )


class ServerlessConnection(UserConnection):
    KIND = _kind("serverless")


class AzureAIServicesConnection(UserConnection):
    KIND = _kind("azure_ai_services")


class CognitiveSearchConnection(UserConnection):
    KIND = _kind("cognitive_search")


class AzureContentSafetyConnection(UserConnection):
    KIND = _kind("azure_content_safety")


class FormRecognizerConnection(UserConnection):
    KIND = _kind("form_recognizer")


class SerpConnection(UserConnection):
    KIND = _kind("serp")


class QdrantConnection(UserConnection):
    KIND = _kind("qdrant")


class WeaviateConnection(UserConnection):
    KIND = _kind("weaviate")


class CustomConnection(UserConnection):
    """`CustomConnection(secrets={…}, configs={…})`: any keys."""

    def __init__(
        self, secrets: Mapping[str, Any] | None = None, configs: Mapping[str, Any] | None = None, **values: Any
    ) -> None:
        self.__dict__["_secret_names"] = tuple(secrets or ())
        super().__init__(**values)
        self.update(configs or {})
        self.update(secrets or {})

    @property
    def secret_names(self) -> tuple[str, ...]:
        names: tuple[str, ...] = self.__dict__.get("_secret_names", ())
        return names

    def is_secret(self, key: str) -> bool:
        return key in self.secret_names


class CustomStrongTypeConnection(CustomConnection):
    """What a team's own connection class derives from; its annotated fields say what it holds."""

    def __init__(
        self, secrets: Mapping[str, Any] | None = None, configs: Mapping[str, Any] | None = None, **values: Any
    ) -> None:
        super().__init__(secrets, configs, **values)
        self.__dict__.update(self)  # before the defaults of the class's fields


def _from_env(name: str) -> str:
    if name not in os.environ:
        wanted = f"the environment variable {name} to be set, or a connection to be named"
        raise ConnectionInvalid(f"model configuration: wanted {wanted}", field=name, wanted=wanted)
    return os.environ[name]
