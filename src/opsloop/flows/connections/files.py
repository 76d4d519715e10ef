"""Connections in files: one in a file as Prompt flow has them, or many in `connections.yaml`, by name.

    name: open_ai_connection                    open_ai_connection:
    type: azure_open_ai                             type: azure_open_ai
    api_base: https://….openai.azure.com/           api_base: https://….openai.azure.com/
    api_key: ${env:AZURE_OPENAI_API_KEY}            api_key: ${env:AZURE_OPENAI_API_KEY}

A value may be `${env:NAME}` or `${file:PATH}` (a mounted secret, say); it is looked up when the connection is used, so
that a file holds no secret and a changed one is seen.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from opsloop.core.errors import shown
from opsloop.flows.connections.errors import ConnectionInvalid
from opsloop.flows.connections.kinds import CUSTOM, KINDS, ConnectionKind, kind_of
from opsloop.flows.connections.models import Connection
from opsloop.flows.errors import suggestion
from opsloop.flows.formats.env_file import assignments
from opsloop.flows.formats.yaml_file import read_mapping

ABOUT = frozenset({"$schema", "name", "type", "module", "custom_type", "package", "package_version", "class"})
_PLACEHOLDERS = frozenset({"<user-input>", "<no-change>", "to_replace_with_connection_api_key"})
_ELSEWHERE = re.compile(r"\$\{(?P<from>env|file):(?P<what>[^}]+)\}")


def read_one(path: Path, *, name: str | None = None, overrides: Mapping[str, str] | None = None) -> Connection:
    """The connection in a file as Prompt flow has it.

    Args:
        name: instead of the one in the file.
        overrides: values that come before those in the file, by field; `configs.x` and `secrets.x` for custom ones.
    Raises: ConnectionInvalid, FlowInvalid when it is no YAML.
    """
    return parse(_with(read_mapping(path), overrides or {}), name=name, where=path.name)


def left_open(path: Path, given: Iterable[str]) -> list[str]:
    """The fields whose values a file leaves to whoever reads it (`<user-input>`), without those that are given.

    Raises: FlowInvalid when it is no YAML.
    """
    body = read_mapping(path)
    parts = [("", body), *((f"{part}.", body.get(part)) for part in ("configs", "secrets"))]
    fields = [
        f"{prefix}{key}"
        for prefix, values in parts
        if isinstance(values, Mapping)
        for key, value in values.items()
        if isinstance(value, str) and value.lower() in _PLACEHOLDERS
    ]
    known = set(given)
    return [field for field in fields if not {field, field.rpartition(".")[2]} & known]


def read_many(path: Path) -> Mapping[str, Connection]:
    """The connections in a file that maps names to them; a file that has not changed is read once.

    Raises: ConnectionInvalid, FlowInvalid.
    """
    stat = path.stat()
    return _read_many(path, (stat.st_mtime_ns, stat.st_size, stat.st_ino))


@functools.lru_cache(maxsize=16)
def _read_many(path: Path, state: tuple[int, int, int]) -> Mapping[str, Connection]:
    found = {}
    for name, body in read_mapping(path).items():
        if not isinstance(body, Mapping):
            raise _invalid(f"{path.name}: {name}", None, "a mapping with a type and its fields")
        found[name] = parse(body, name=name, where=f"{path.name}: {name}")
    return found


def read_env(path: Path, name: str | None) -> Connection:
    """A custom connection whose secrets are the variables of a `.env` file. Raises: ConnectionInvalid."""
    try:
        found = assignments(path.read_text("utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError):
        raise _invalid("--file", str(path), "a file of NAME=value lines that can be read") from None
    return parse({"type": CUSTOM.name, "secrets": found}, name=name, where=path.name)


def changed(connection: Connection, overrides: Mapping[str, str]) -> Connection:
    """A connection with other values. Raises: ConnectionInvalid."""
    kind = connection.kind
    parts = {"configs": dict(connection.configs), "secrets": dict(connection.secrets)}
    body = {"type": kind.name, **(parts if kind.takes_any else connection.values)}
    made = parse(_with(body, overrides), name=connection.name, where=connection.name)
    return replace(made, module=connection.module, custom_type=connection.custom_type)


def parse(body: Mapping[str, Any], *, name: str | None = None, where: str = "the connection") -> Connection:
    """A connection from what a file says of it. Raises: ConnectionInvalid."""
    named = name or body.get("name")
    if not isinstance(named, str) or not named:
        raise _invalid(f"{where}.name", named, "a name")
    kind = _kind(where, body.get("type") or ("custom" if {"configs", "secrets"} & body.keys() else None))
    connection = _custom(where, named, kind, body) if kind.takes_any else _typed(where, named, kind, body)
    return replace(connection, module=_text(body.get("module")), custom_type=_text(body.get("custom_type")))


def looked_up(connection: Connection) -> Connection:
    """The connection with the values of the environment and of files in it. Raises: ConnectionInvalid."""
    return replace(
        connection,
        configs={key: _looked_up(connection, key, value) for key, value in connection.configs.items()},
        secrets={key: _looked_up(connection, key, value) for key, value in connection.secrets.items()},
    )


def _looked_up(connection: Connection, field: str, value: str) -> str:
    found = _ELSEWHERE.fullmatch(value)
    if found is None:
        return value
    where = f"connection {connection.name}.{field}"
    if found["from"] == "env":
        if found["what"] not in os.environ:
            raise _invalid(where, value, f"the environment variable {found['what']} to be set")
        return os.environ[found["what"]]
    try:
        return Path(found["what"]).expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise _invalid(where, value, "a file that can be read") from None


def _kind(where: str, type: object) -> ConnectionKind:
    kind = kind_of(type) if isinstance(type, str) else None
    if kind is None:
        known = [each.name for each in KINDS]
        raise _invalid(f"{where}.type", type, f"one of {', '.join(known)}{suggestion(type, known)}")
    return kind


def _typed(where: str, name: str, kind: ConnectionKind, body: Mapping[str, Any]) -> Connection:
    fields = (*kind.fields, *kind.secrets)
    for key in body:
        if key not in fields and key not in ABOUT:
            raise _invalid(
                f"{where}.{key}", None, f"fields of {kind.name} ({', '.join(fields)}){suggestion(key, fields)}"
            )
    given = {key: _value(f"{where}.{key}", body[key]) for key in fields if body.get(key) not in (None, "")}
    for key in kind.needed:
        if key not in given:
            raise _invalid(f"{where}.{key}", None, "a value")
    defaults = {key: value for key, value in kind.fields.items() if value is not None}
    return Connection(
        name=name,
        kind=kind,
        configs={**defaults, **{key: value for key, value in given.items() if key not in kind.secrets}},
        secrets={key: value for key, value in given.items() if key in kind.secrets},
    )


def _custom(where: str, name: str, kind: ConnectionKind, body: Mapping[str, Any]) -> Connection:
    parts: dict[str, dict[str, str]] = {}
    for part in ("configs", "secrets"):
        given = body.get(part) or {}
        if not isinstance(given, Mapping):
            raise _invalid(f"{where}.{part}", None, "a mapping of names to values")
        parts[part] = {str(key): _value(f"{where}.{part}.{key}", value) for key, value in given.items()}
    for key in body:
        if key not in ("configs", "secrets") and key not in ABOUT:
            raise _invalid(f"{where}.{key}", None, "'configs' and 'secrets', each with names and values")
    return Connection(name=name, kind=kind, configs=parts["configs"], secrets=parts["secrets"])


def _value(where: str, value: object) -> str:
    if isinstance(value, str | int | float) and str(value).lower() not in _PLACEHOLDERS:
        return str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, str):
        raise _invalid(where, value, "a value in its place: --set FIELD=VALUE, or ${env:NAME}")
    raise _invalid(where, None, "text")


def _with(body: Mapping[str, Any], overrides: Mapping[str, str]) -> dict[str, Any]:
    merged = dict(body)
    for key, value in overrides.items():
        part, dot, inner = key.partition(".")
        if dot:
            merged[part] = {**(merged.get(part) or {}), inner: value}
        elif key not in merged and isinstance(merged.get("secrets"), Mapping) and key in merged["secrets"]:
            merged["secrets"] = {**merged["secrets"], key: value}
        elif key not in merged and isinstance(merged.get("configs"), Mapping) and key in merged["configs"]:
            merged["configs"] = {**merged["configs"], key: value}
        else:
            merged[key] = value
    return merged


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


def _invalid(field: str, value: object, wanted: str) -> ConnectionInvalid:
    got = f" is {shown(value)};" if value is not None else ":"
    return ConnectionInvalid(f"{field}{got} wanted {wanted}", field=field, wanted=wanted)
