"""What a flex flow's class was made with, as the record of a run keeps it: without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.core.errors import Conflict

HIDDEN = "***"
_SECRET = ("api_key", "key", "password", "secret", "token")


class SecretNotKept(Conflict):
    template = (
        "run {name!r} was made with a secret in init.{field}, which is not kept; start it again, and name a connection "
        "or ${{env:NAME}} there so that the next one can go on"
    )


def without_secrets(init: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The values with the secrets in them hidden; one that stands elsewhere (`${env:NAME}`) is none."""
    return None if init is None else {key: _hidden(key, value) for key, value in init.items()}


def refuse_hidden(init: Mapping[str, Any] | None, name: str) -> None:
    """Raises: SecretNotKept when a secret would be needed that was hidden."""
    if (field := _place(init or {})) is not None:
        raise SecretNotKept(name=name, field=field)


def _hidden(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {inner: _hidden(str(inner), part) for inner, part in value.items()}
    is_elsewhere = isinstance(value, str) and (value.startswith("${") or not value)
    return HIDDEN if isinstance(value, str) and is_secret(key) and not is_elsewhere else value


def is_secret(key: str) -> bool:
    """Whether what goes by this name is a secret, as names go: `api_key`, `db_password`."""
    name = key.lower()
    return name in _SECRET or name.endswith(("_api_key", "_key", "_password", "_secret"))


def _place(values: Mapping[str, Any]) -> str | None:
    for key, value in values.items():
        if value == HIDDEN and is_secret(key):
            return str(key)
        if isinstance(value, Mapping) and (inner := _place(value)) is not None:
            return f"{key}.{inner}"
    return None
