"""`flow.flex.yaml`: a flow that is a Python function or class. What it takes is read from its source, unrun."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from opsloop.flows.errors import FlowInvalid, FlowMissing
from opsloop.flows.formats import fields
from opsloop.flows.formats.files_within import with_files
from opsloop.flows.formats.python_source import Source as PythonSource
from opsloop.flows.formats.yaml_file import read_mapping
from opsloop.flows.models import (
    Entry,
    Flow,
    FlowFormat,
    FlowInput,
    FlowOutput,
    Node,
    Reference,
    Sample,
    Source,
    ValueType,
)

T = TypeVar("T", list[Any], dict[str, Any])
AGGREGATE = "__aggregate__"
LINE_RESULTS = "line_results"
_ENTRY = re.compile(r"(?P<module>[A-Za-z_][\w.]*):(?P<name>[A-Za-z_]\w*)")
_KNOWN = frozenset({
    "$schema", "name", "display_name", "type", "description", "tags", "language", "entry", "code", "path", "init",
    "sample", "inputs", "outputs", "environment", "environment_variables",
    "additional_includes", "connections",
})  # fmt: skip


def read(path: Path) -> Flow:
    """The flow in a file. Raises: FlowMissing, FlowInvalid."""
    if not path.is_file():
        raise FlowMissing(path=str(path), noun="flow", name=str(path))
    file, data = path.name, read_mapping(path)
    folder = _folder(path, data)
    entry = _entry(file, data)
    source = PythonSource.find(folder, entry.module, file=file)
    if source is not None:
        entry = source.described(entry)
    if data.get("init"):
        entry = replace(entry, init=fields.inputs_of(file, data["init"], where="init"))
    inputs = _inputs(file, data, source, entry)
    node = Node(
        name=entry.name,
        type="flex",
        source=Source(path=str(entry)),
        inputs={name: Reference(None, name) for name in inputs},
    )
    return Flow(
        name=str(data.get("name") or folder.name),
        folder=folder,
        file=file,
        inputs=inputs,
        outputs=_outputs(file, data, source, entry, node),
        nodes=(node, aggregate_node(node)) if entry.has_aggregate else (node,),
        additional_includes=tuple(str(each) for each in _of(file, data, "additional_includes", list)),
        environment_variables={k: str(v) for k, v in _of(file, data, "environment_variables", dict).items()},
        python_requirements=_of(file, data, "environment", dict).get("python_requirements_txt"),
        format=FlowFormat.FLEX,
        spreads=node.name,
        entry=entry,
        sample=_sample(file, with_files(data.get("sample"), path.resolve().parent, f"{file}: sample")),
        warnings=tuple(f"{file}: {key} is not known here" for key in data if key not in _KNOWN),
    )


def _of(file: str, data: Mapping[str, Any], key: str, kind: type[T]) -> T:
    value = data.get(key) or kind()
    if not isinstance(value, kind):
        wanted = "a list" if kind is list else "a mapping of names to values"
        raise FlowInvalid(file=file, field=key, value=value, wanted=wanted)
    return value


def _folder(path: Path, data: Mapping[str, Any]) -> Path:
    code = data.get("code")
    folder = path.resolve().parent
    if not code:
        return folder
    inside = (folder / str(code).replace("\0", "")).resolve()
    if "\0" in str(code) or not inside.is_dir():
        raise FlowInvalid(file=path.name, field="code", value=code, wanted="a folder that is there")
    return inside


def _entry(file: str, data: Mapping[str, Any]) -> Entry:
    written = data.get("entry")
    found = _ENTRY.fullmatch(written.strip()) if isinstance(written, str) else None
    if found is None:
        raise FlowInvalid(file=file, field="entry", value=written, wanted="MODULE:FUNCTION or MODULE:CLASS")
    return Entry(module=found["module"], name=found["name"])


def _inputs(file: str, data: Mapping[str, Any], source: PythonSource | None, entry: Entry) -> dict[str, FlowInput]:
    """What the Python takes; a declaration in the file says more of those that are named there."""
    declared = fields.inputs_of(file, data["inputs"]) if data.get("inputs") else {}
    if source is None:
        return fields.with_chat_input(declared)
    taken = source.inputs(entry)
    for name, each in declared.items():
        if name in taken and not each.has_default:
            each = replace(
                each,
                has_default=taken[name].has_default,
                default=taken[name].default,
                default_in_code=taken[name].default_in_code,
            )
        taken[name] = each
    return fields.with_chat_input(taken)


def _outputs(
    file: str, data: Mapping[str, Any], source: PythonSource | None, entry: Entry, node: Node
) -> dict[str, FlowOutput]:
    declared = data.get("outputs") or {}
    if not isinstance(declared, Mapping):
        raise FlowInvalid(file=file, field="outputs", value=declared, wanted="a mapping of names to types")
    names = [str(name) for name in declared] or (source.outputs(entry) if source is not None else [])
    if names and names != ["output"]:
        return {name: FlowOutput(name, ValueType.ANY, Reference(node.name, "output", (name,))) for name in names}
    whole = Reference(node.name, "output")
    return {"output": FlowOutput("output", ValueType.ANY, whole, is_chat_output=True)}


def aggregating(flow: Flow, target: object) -> Flow:
    """The flow with the node for `__aggregate__` when the object that is called has one, though no source said so."""
    if flow.entry is None or flow.entry.has_aggregate or not hasattr(target, AGGREGATE):
        return flow
    return replace(
        flow, entry=replace(flow.entry, has_aggregate=True), nodes=(*flow.nodes, aggregate_node(flow.nodes[0]))
    )


def aggregate_node(node: Node) -> Node:
    """The node that is called with what all rows gave."""
    return Node(
        name=AGGREGATE,
        type="flex_aggregate",
        source=node.source,
        inputs={LINE_RESULTS: Reference(node.name, "output")},
        aggregation=True,
    )


def _sample(file: str, written: Any) -> Sample:
    written = written or {}
    if not isinstance(written, Mapping):
        raise FlowInvalid(file=file, field="sample", value=written, wanted="a mapping with inputs and init")
    if not {"inputs", "init"} & written.keys():
        return Sample(inputs=dict(written))
    for key in ("inputs", "init"):
        if not isinstance(written.get(key) or {}, Mapping):
            wanted = "a mapping of names to values, or ${file:NAME.json}"
            raise FlowInvalid(file=file, field=f"sample.{key}", value=written[key], wanted=wanted)
    return Sample(inputs=dict(written.get("inputs") or {}), init=dict(written.get("init") or {}))
