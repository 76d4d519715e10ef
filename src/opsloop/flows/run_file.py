"""What a batch run is declared as, in Python or in a `run.yml` of Prompt flow."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsloop.flows.errors import FlowInvalid
from opsloop.flows.formats import yaml_file
from opsloop.flows.formats.env_file import assignments

_VARIANT = re.compile(r"\s*\$\{\s*([^.{}]+)\.([^.{}]+?)\s*\}\s*")
_KEYS = ("flow", "data", "run", "column_mapping", "variant", "init", "environment_variables", "connections", "name",
         "display_name", "description", "tags", "inputs_mapping")  # fmt: skip
# They say where a run takes place in Azure, or are written by it; here they mean nothing.
_IGNORED = ("resources", "runtime", "identity", "compute", "properties", "status", "outputs", "command", "type",
            "timeout", "worker_count", "log_level")  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunWanted:
    """A batch run as somebody declares it.

    Args:
        data: a file of rows or a dataset version; unset: the rows of `run`.
        run: name of the earlier run that `${run.outputs.…}` and `${run.inputs.…}` read.
        column_mapping: input of the flow to a value or a reference.
        variants: node to the id of its variant.
        init: what the class of a flex flow is made with.
        environment_variables: set while the run goes on; `${connection.key}` is taken from a connection.
        connections: by node, inputs that replace those of the flow: its connection, its deployment.
        is_lenient: a mapping of what is no input of the flow is left out with a warning, as in Prompt flow; else it is
            refused before the first row.
    """

    flow: Path
    data: str | None = None
    run: str | None = None
    column_mapping: Mapping[str, Any] = field(default_factory=dict)
    variants: Mapping[str, str] = field(default_factory=dict)
    init: Mapping[str, Any] | None = None
    environment_variables: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    name: str | None = None
    display_name: str | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    is_lenient: bool = False
    warnings: tuple[str, ...] = ()


def read(path: Path) -> RunWanted:
    """A run file; paths in it are relative to its folder. Raises: FlowInvalid naming file, key and value."""
    if not path.is_file():
        raise FlowInvalid(file=str(path), field="the file", wanted="a run file that is there")
    return _Reading(path, yaml_file.read_mapping(path)).wanted()


def variant_of(text: str, *, file: str, field: str = "variant") -> dict[str, str]:
    """`${node.variant}` as a node and its variant. Raises: FlowInvalid."""
    found = _VARIANT.fullmatch(text)
    if found is None:
        raise FlowInvalid(file=file, field=field, value=text, wanted="${node.variant}")
    return {found[1].strip(): found[2]}


class _Reading:
    def __init__(self, path: Path, document: Mapping[str, Any]) -> None:
        self.path = path
        self.document = document

    def wanted(self) -> RunWanted:
        flow = self._text("flow")
        if not flow:
            raise self._wrong("flow", flow, "the path of a flow")
        if "data" not in self.document and "run" not in self.document:
            raise self._wrong("data", None, "a file of rows, or `run`: an earlier run")
        variant = self._text("variant")
        return RunWanted(
            flow=self.path.parent / flow,
            data=self._data(),
            run=self._text("run"),
            column_mapping=self._mapping("column_mapping") or self._mapping("inputs_mapping"),
            variants=variant_of(variant, file=self.path.name) if variant else {},
            init=self._mapping("init", file_kind="json") if "init" in self.document else None,
            environment_variables={
                key: _as_text(value) for key, value in self._mapping("environment_variables", file_kind="env").items()
            },
            connections=self._connections(),
            name=self._text("name"),
            display_name=self._text("display_name"),
            description=self._text("description"),
            tags={key: _as_text(value) for key, value in self._mapping("tags").items()},
            is_lenient=True,
            warnings=tuple(self._warnings()),
        )

    def _data(self) -> str | None:
        data = self._text("data")
        if data is None:
            return None
        place = self.path.parent / data
        return data if not place.exists() and "@" in data and "/" not in data else str(place)

    def _connections(self) -> dict[str, dict[str, Any]]:
        found = self._mapping("connections")
        for node, inputs in found.items():
            if not isinstance(inputs, dict):
                raise self._wrong(f"connections.{node}", inputs, "a mapping, as `connection: NAME`")
        return found

    def _warnings(self) -> list[str]:
        known = [key for key in self.document if key in _IGNORED]
        others = [key for key in self.document if key not in (*_IGNORED, *_KEYS) and not key.startswith("$")]
        file = self.path.name
        return [f"{file}: {key} is for runs in Azure and means nothing here" for key in known] + [
            f"{file}: {key} is no key of a run file and was left out" for key in others
        ]

    def _text(self, key: str) -> str | None:
        value = self.document.get(key)
        if value is None:
            return None
        if isinstance(value, dict | list):
            raise self._wrong(key, value, "text")
        return _as_text(value)

    def _mapping(self, key: str, *, file_kind: str | None = None) -> dict[str, Any]:
        value = self.document.get(key)
        if value is None:
            return {}
        if isinstance(value, str) and file_kind is not None:
            return self._of_file(key, value, file_kind)
        if not isinstance(value, dict):
            raise self._wrong(key, value, "a mapping of names to values")
        return value

    def _of_file(self, key: str, value: str, kind: str) -> dict[str, Any]:
        place = self.path.parent / value
        if not place.is_file():
            raise self._wrong(key, value, "a mapping, or the path of a file that is there")
        try:
            text = place.read_text("utf-8-sig")
            found = json.loads(text) if kind == "json" else assignments(text.splitlines())
        except ValueError:
            raise self._wrong(key, value, "a file of UTF-8 text, JSON for `init`") from None
        if not isinstance(found, dict):
            raise self._wrong(key, value, "a file that holds a JSON object")
        return found

    def _wrong(self, field: str, value: object, wanted: str) -> FlowInvalid:
        return FlowInvalid(file=self.path.name, field=field, value=value, wanted=wanted)


def _as_text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
