"""The model server behind a connection, or behind what a prompty says of its model."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from opsloop.core.errors import shown
from opsloop.flows.connections.errors import ConnectionInvalid
from opsloop.flows.connections.lookup import Connections, as_connection
from opsloop.flows.connections.models import Connection
from opsloop.llm.servers import ModelServer, ServerKind

OPENAI_URL = "https://api.openai.com/v1"
_ENTRA_SCOPE = "https://cognitiveservices.azure.com/.default"
_ENV = re.compile(r"\$\{env:(?P<name>[^}]+)\}", re.IGNORECASE)
_AZURE = ("azure_openai", "azure_open_ai", "azureopenai")
_SERVER_FIELDS = ("azure_endpoint", "api_base", "base_url", "api_key", "api_version", "organization")


def server_of(connection: Connection) -> ModelServer:
    """Raises: ConnectionInvalid when the connection is to no model server."""
    values = connection.values
    match connection.kind.name:
        case "azure_open_ai":
            is_by_token = values.get("auth_mode") == "meid_token" or not values.get("api_key")
            return ModelServer(
                values["api_base"],
                kind=ServerKind.AZURE,
                api_key=None if is_by_token else values["api_key"],
                api_version=values.get("api_version"),
                token=_entra(connection.name) if is_by_token else None,
            )
        case "open_ai":
            return ModelServer(
                values.get("base_url") or OPENAI_URL,
                api_key=values.get("api_key"),
                organization=values.get("organization"),
            )
        case "serverless":
            return ModelServer(values["api_base"], api_key=values.get("api_key"))
    wanted = "a connection of type azure_open_ai, open_ai or serverless"
    field = f"connection {connection.name}.type"
    raise ConnectionInvalid(field=field, value=connection.kind.name, wanted=wanted)


def configured(configuration: object, connections: Connections) -> tuple[ModelServer | None, str | None]:
    """The server and the model that a model configuration names; None for what it leaves open.

    Args:
        configuration: a mapping with `type` and `connection`, or with an address and a key; or an object of one of
            Prompt flow's model configuration classes.
    Raises: ConnectionInvalid, ConnectionMissing never: an unknown connection leaves the server open.
    """
    values = _values(configuration)
    key = "azure_deployment" if "azure_deployment" in values else "model"
    model = _from_environment(key, values.get(key))
    if name := values.get("connection"):
        found = connections.get(name) if isinstance(name, str) else as_connection("connection", name)
        return (None if found is None else server_of(found)), model
    if not any(values.get(field) for field in _SERVER_FIELDS):
        return _of_environment(str(values.get("type") or "")), model
    values = {key: _from_environment(key, value) for key, value in values.items()}
    return _of_values(values), model


def _of_values(values: Mapping[str, Any]) -> ModelServer:
    address = values.get("azure_endpoint") or values.get("api_base")
    if str(values.get("type") or "").lower() in _AZURE or address:
        key = {"api_key": os.environ.get("AZURE_OPENAI_API_KEY")}
        given = {**key, **_only(values, "api_key", "api_version")}
        body = {"type": "azure_open_ai", "api_base": address, **_only(given, *given)}
    else:
        key = {"api_key": os.environ.get("OPENAI_API_KEY")}
        given = {**key, **_only(values, "api_key", "base_url", "organization")}
        body = {"type": "open_ai", **_only(given, *given)}
    return server_of(as_connection("model.configuration", body))


def _of_environment(type: str) -> ModelServer | None:
    """The server that the variables of the official clients name, for a configuration that names none."""
    if type.lower() in _AZURE:
        address = os.environ.get("AZURE_OPENAI_ENDPOINT")
        if not address:
            return None
        key, version = os.environ.get("AZURE_OPENAI_API_KEY"), os.environ.get("OPENAI_API_VERSION")
        return _of_values({"azure_endpoint": address, "api_key": key, "api_version": version})
    key = os.environ.get("OPENAI_API_KEY")
    if not key:
        return None
    return _of_values({"api_key": key, "base_url": os.environ.get("OPENAI_BASE_URL")})


def _values(configuration: object) -> dict[str, Any]:
    if isinstance(configuration, Mapping):
        return {str(key): value for key, value in configuration.items() if value not in (None, "")}
    if is_dataclass(configuration) and not isinstance(configuration, type):
        found = {key: value for key, value in asdict(configuration).items() if value not in (None, "")}
        is_azure = "azure" in type(configuration).__name__.lower()
        return {"type": "azure_openai" if is_azure else "openai", **found}
    wanted = "a mapping with type and connection, or a model configuration of Prompt flow"
    raise ConnectionInvalid(field="model.configuration", value=shown(configuration), wanted=wanted)


def _from_environment(key: str, value: Any) -> Any:
    found = _ENV.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return value
    if found["name"] not in os.environ:
        field = f"model.configuration.{key}"
        wanted = f"the environment variable {found['name']} to be set"
        raise ConnectionInvalid(f"{field} is {value!r}; wanted {wanted}", field=field, wanted=wanted)
    return os.environ[found["name"]]


def _only(values: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: values[key] for key in keys if values.get(key)}


def _entra(name: str) -> Callable[[], str]:
    """Bearer tokens of Microsoft Entra ID, for a connection without a key. Raises: ConnectionInvalid."""
    try:
        from azure.identity import (  # only a team that signs in this way has it
            DefaultAzureCredential,
            get_bearer_token_provider,
        )
    except ImportError:
        wanted = "a key, or `pip install azure-identity` to sign in with Entra ID"
        field = f"connection {name}.api_key"
        raise ConnectionInvalid(f"{field} is missing: wanted {wanted}", field=field, wanted=wanted) from None
    provider: Callable[[], str] = get_bearer_token_provider(DefaultAzureCredential(), _ENTRA_SCOPE)
    return provider
