"""The connections and environment variables of an experiment, in the template's form: secrets only as placeholders.

    connections:
    - name: aoai                                     # `${api_key}` of connection aoai is AOAI_API_KEY
      connection_type: AzureOpenAIConnection
      api_base: https://….openai.azure.com/
      api_key: ${api_key}
    environment_variables: {AZURE_OPENAI_API_KEY: "${AZURE_OPENAI_API_KEY}"}

A value `${name}` is taken from the environment of the process that runs the evaluation, when it runs; a secret that
stands in the file itself is refused, because what an experiment declares is kept with each of its runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.declared import declared
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.flows.connections.files import parse as parse_connection
from opsloop.flows.connections.kinds import KINDS, kind_of
from opsloop.flows.kept_init import is_secret

_PLACEHOLDER = re.compile(r"\$\{\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*\}")
_ELSEWHERE = re.compile(r"\$\{(env|file):[^{}]+\}")


def connection(values: object, path: str) -> tuple[str, dict[str, Any]]:
    """A connection's name and its body as a file of connections has it. Raises: ExperimentInvalid."""
    if not isinstance(values, Mapping):
        raise ExperimentInvalid(path, "a mapping with name, connection_type and the fields of that type", value=values)
    name = declared({"name": values.get("name")}, path, ("name",)).text("name")
    key = "connection_type" if "connection_type" in values else "type"
    written = values.get(key)
    kind = kind_of(written) if isinstance(written, str) else None
    if kind is None:
        known = [each.class_name for each in KINDS]
        raise ExperimentInvalid(f"{path}.{key}", f"one of {', '.join(known)}", known=known, value=written)
    body: dict[str, Any] = {"type": kind.name}
    for field, value in values.items():
        if field in ("name", "type", "connection_type") or value is None:
            continue
        if isinstance(value, Mapping):
            body[field] = {
                str(inner): _looked_up(name, str(inner), part, is_secret=field == "secrets", path=f"{path}.{field}")
                for inner, part in value.items()
            }
        else:
            body[field] = _looked_up(name, field, value, is_secret=field in kind.secrets, path=path)
    try:
        parse_connection(body, name=name, where=path)
    except InvalidInput as error:
        raise ExperimentInvalid(str(error.facts.get("field", path)), str(error.facts["wanted"])) from None
    return name, body


def environment_variables(values: Mapping[str, Any], path: str) -> dict[str, str]:
    """Names to values, which are texts or `${NAME}` of another variable. Raises: ExperimentInvalid."""
    found = {}
    for name, value in values.items():
        if isinstance(value, Mapping | list) or not str(value).strip():
            raise ExperimentInvalid(f"{path}.{name}", "text, or ${NAME} of another variable", value=value)
        text = ("true" if value else "false") if isinstance(value, bool) else str(value).strip()
        if is_secret(name) and not _is_placeholder(text):
            raise _secret_in_file(f"{path}.{name}", name.upper())
        found[name.strip().upper()] = text
    return found


def from_environment(text: str) -> str | None:
    """The name of the variable that a value `${NAME}` stands for; None when it stands for itself."""
    found = _PLACEHOLDER.fullmatch(text)
    return found["name"] if found is not None else None


def _looked_up(connection: str, field: str, value: object, *, is_secret: bool, path: str) -> str:
    """As a file of connections says that a value is in the environment: `${env:AOAI_API_KEY}`."""
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    variable = f"{connection}_{from_environment(text) or field}".upper()
    if from_environment(text) is not None:
        return f"${{env:{variable}}}"
    if is_secret and not _is_placeholder(text):
        raise _secret_in_file(f"{path}.{field}", variable, placeholder=field)
    return text


def _is_placeholder(text: str) -> bool:
    return not text or bool(_PLACEHOLDER.fullmatch(text) or _ELSEWHERE.fullmatch(text))


def _secret_in_file(field: str, variable: str, placeholder: str | None = None) -> ExperimentInvalid:
    wanted = f"${{{placeholder or variable}}}, with the secret in the environment as {variable}"
    # Without the value: it may be a secret.
    return ExperimentInvalid(field, f"{wanted}; what stands there would be kept with every run")
