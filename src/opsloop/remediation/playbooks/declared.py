"""A team's own playbook, declared in a YAML file.

name: restart-chat
title: Restart the chat workers
when:
  signal: {kind: alert, name: "Chat*", subject: "service:chat"}   # patterns; all that are given have to match
  diagnosis: [network, dependency]                                # categories; any of them
questions: [Does a restart lose conversations?]
checklist: [Look at the queue, Restart the workers]
action:
  kind: command.run
  parameters:
    command: restart-unit
    values: {unit: "{label.unit}"}                                # a whole value, never a part of one

Placeholders are `{incident.id}`, `{incident.endpoint}`, `{signal.name}`, `{signal.service}`, `{signal.host}`,
`{signal.endpoint}` and `{label.NAME}` of the signal that matched. Where one is empty the playbook does not fit. What
comes from a signal is text of others: the action checks it as it checks any value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import service as incidents
from opsloop.incidents.models import Incident, Signal
from opsloop.remediation.actions.registry import actions
from opsloop.remediation.playbooks.playbook import Fit

MOST_BYTES, MOST_FILES = 100_000, 200
_PLACE = re.compile(r"\{(?P<of>incident|signal|label)\.(?P<name>[A-Za-z0-9_.-]{1,100})\}")
_KNOWN = {"incident": ("id", "endpoint"), "signal": ("name", "service", "host", "endpoint")}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SignalPatterns(_Part):
    """Args: subject: of names such as `service:checkout`; source: the system that found it."""

    kind: str = "*"
    name: str = "*"
    subject: str = "*"
    source: str = "*"


class When(_Part):
    signal: SignalPatterns = SignalPatterns()
    diagnosis: list[str] = []


class Taken(_Part):
    kind: str
    parameters: dict[str, Any] = {}


class Declaration(_Part):
    name: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=63)
    title: str = Field(min_length=1, max_length=200)
    when: When
    questions: list[str] = Field([], max_length=50)
    checklist: list[str] = Field([], max_length=50)
    action: Taken | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """A playbook of a file."""

    declaration: Declaration

    @property
    def name(self) -> str:
        return self.declaration.name

    @property
    def title(self) -> str:
        return self.declaration.title

    @property
    def action(self) -> str:
        return self.declaration.action.kind if self.declaration.action is not None else ""

    def fits(self, uow: UnitOfWork, incident: Incident) -> list[Fit]:
        declared = self.declaration
        category = str((incident.diagnosis or {}).get("category", ""))
        if declared.when.diagnosis and category not in declared.when.diagnosis:
            return []
        signals = [each for each in incidents.signals_of(uow, incident.id) if _matches(declared.when.signal, each)]
        fits = (self._fit(incident, each, category) for each in signals)
        return [each for each in fits if each is not None][:1]

    def _fit(self, incident: Incident, signal: Signal, category: str) -> Fit | None:
        taken = self.declaration.action
        parameters = _filled(taken.parameters, incident, signal) if taken is not None else None
        if taken is not None and parameters is None:
            return None
        subject = next(iter(signal.subject.names), "")
        because = [signal.text or signal.name]
        if self.declaration.when.diagnosis:
            because.append(f"its log was diagnosed as {category}")
        return Fit(
            target=subject.replace(":", "/", 1) or f"incident/{incident.id}",
            endpoint=incident.endpoint,
            because=tuple(because),
            questions=tuple(self.declaration.questions),
            checklist=tuple(self.declaration.checklist),
            parameters=parameters,
        )


def read_folder(folder: Path) -> list[Declared]:
    """The playbooks of all `*.yaml` and `*.yml` files, by file name. Raises: InvalidInput naming file and field."""
    if not folder.is_dir():
        raise InvalidInput(field="setting remediation_playbooks", value=str(folder), wanted="a folder that is there")
    files = sorted(each for each in folder.iterdir() if each.suffix in (".yaml", ".yml"))
    if len(files) > MOST_FILES:
        raise InvalidInput(field=str(folder), value=f"{len(files)} files", wanted=f"at most {MOST_FILES} playbooks")
    found: dict[str, Declared] = {}
    for file in files:
        declared = read_file(file)
        if declared.name in found:
            raise InvalidInput(field=f"{file.name}: name", value=declared.name, wanted="a name that no other file has")
        found[declared.name] = declared
    return list(found.values())


def read_file(file: Path) -> Declared:
    """Raises: InvalidInput naming file, field and wanted form."""
    try:
        with file.open("rb") as opened:
            text = opened.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise InvalidInput(field=file.name, value=f"{len(text):,} bytes", wanted=f"at most {MOST_BYTES:,} bytes")
        given = _parsed(text.decode())
    except (OSError, UnicodeDecodeError, YAMLError, RecursionError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise InvalidInput(f"{file.name}: is no playbook in YAML ({said})", field=file.name) from None
    try:
        declared = Declaration.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "playbook"
        wanted = first["msg"][:1].lower() + first["msg"][1:]
        raise InvalidInput(field=f"{file.name}: {place}", value=first.get("input"), wanted=wanted) from None
    if declared.action is not None:
        _check_action(file.name, declared.action)
    return Declared(declared)


def _parsed(text: str) -> Any:
    """Plain YAML; anchors and aliases, of which a small file can make a huge value, are refused."""
    yaml = YAML(typ="safe", pure=True)
    if any(type(event).__name__ == "AliasEvent" for event in yaml.parse(text)):
        raise ValueError("aliases are not read")
    return YAML(typ="safe", pure=True).load(text)


def _check_action(file: str, taken: Taken) -> None:
    action = actions().get(taken.kind)
    if action is None:
        wanted = f"one of {', '.join(sorted(actions()))}"
        raise InvalidInput(field=f"{file}: action.kind", value=taken.kind, wanted=wanted)
    fields = action.form.model_fields
    for name in taken.parameters:
        if name not in fields:
            wanted = f"one of {', '.join(fields)}"
            raise InvalidInput(field=f"{file}: action.parameters", value=name, wanted=wanted)
    for name, field in fields.items():
        if field.is_required() and name not in taken.parameters:
            raise InvalidInput(f"{file}: action.parameters.{name}: is missing; {taken.kind} wants it", field=name)
    _check_places(f"{file}: action.parameters", taken.parameters)


def _check_places(field: str, value: Any) -> None:
    if isinstance(value, dict):
        for name, each in value.items():
            _check_places(f"{field}.{name}", each)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            _check_places(f"{field}.{place}", each)
    elif isinstance(value, str) and "{" in value:
        named = _PLACE.fullmatch(value)
        if named is None or (named["of"] in _KNOWN and named["name"] not in _KNOWN[named["of"]]):
            wanted = "a plain value, or as a whole one of {incident.endpoint}, {signal.service}, {label.NAME} and so on"
            raise InvalidInput(field=field, value=value, wanted=wanted)


def _matches(patterns: SignalPatterns, signal: Signal) -> bool:
    subjects = signal.subject.names or ("",)
    return (
        fnmatchcase(signal.kind, patterns.kind)
        and fnmatchcase(signal.name, patterns.name)
        and fnmatchcase(signal.source, patterns.source)
        and any(fnmatchcase(each, patterns.subject) for each in subjects)
    )


class _Empty(Exception):
    """A placeholder has no value here."""


def _filled(parameters: dict[str, Any], incident: Incident, signal: Signal) -> dict[str, Any] | None:
    """None where a placeholder has no value."""
    try:
        return {name: _value(each, incident, signal) for name, each in parameters.items()}
    except _Empty:
        return None


def _value(given: Any, incident: Incident, signal: Signal) -> Any:
    if isinstance(given, dict):
        return {name: _value(each, incident, signal) for name, each in given.items()}
    if isinstance(given, list):
        return [_value(each, incident, signal) for each in given]
    named = _PLACE.fullmatch(given) if isinstance(given, str) else None
    if named is None:
        return given
    of, name = named["of"], named["name"]
    if of == "label":
        found = signal.subject.labels.get(name, "")
    elif of == "incident":
        found = str({"id": incident.id, "endpoint": incident.endpoint}[name])
    else:
        subject = signal.subject
        values = {"name": signal.name, "service": subject.service, "host": subject.host, "endpoint": subject.endpoint}
        found = values[name]
    if not found:
        raise _Empty
    return found
