"""`.prompty`: a prompt with a YAML head that says what it takes and which model it asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import TemplateSyntaxError, meta

from opsloop.flows.errors import FlowInvalid, FlowMissing
from opsloop.flows.formats import fields
from opsloop.flows.formats.files_within import with_files
from opsloop.flows.formats.templates import SANDBOX
from opsloop.flows.formats.yaml_file import parse_mapping
from opsloop.flows.models import (
    Flow,
    FlowFormat,
    FlowInput,
    FlowOutput,
    Node,
    Prompty,
    PromptyModel,
    Reference,
    Sample,
    Source,
    ValueType,
)

OUTPUT = "output"
_HEAD = re.compile(
    r"\A\s*-{3,}[ \t]*\r?\n(?P<head>.*?)^-{3,}[ \t]*(?:\r?\n|\Z)(?P<template>.*)\Z", re.DOTALL | re.MULTILINE
)
_KNOWN = frozenset({
    "$schema", "name", "display_name", "description", "version", "authors", "author", "tags", "model", "inputs",
    "outputs", "sample", "template", "format", "base",
})  # fmt: skip
_APIS = ("chat", "completion")


def read(path: Path) -> Flow:
    """The prompty in a file. Raises: FlowMissing, FlowInvalid."""
    if not path.is_file():
        raise FlowMissing(path=str(path), noun="flow", name=str(path))
    file = path.name
    head, template = _parts(path)
    head = {key: with_files(value, path.parent, f"{file}: {key}") for key, value in head.items()}
    sample = _sample(file, _named_plainly(head.get("sample"), path.parent, f"{file}: sample"))
    inputs = fields.with_chat_input(_inputs(file, head, sample, template))
    node = Node(
        name=_node_name(path.stem),
        type="prompty",
        source=Source(path=file),
        inputs={name: Reference(None, name) for name in inputs},
    )
    outputs = head.get("outputs") or {OUTPUT: {}}
    if not isinstance(outputs, Mapping):
        raise FlowInvalid(file=file, field="outputs", value=outputs, wanted="a mapping of names to types")
    return Flow(
        name=str(head.get("name") or path.stem),
        folder=path.resolve().parent,
        file=file,
        inputs=inputs,
        outputs={name: _output(name, node, is_alone=len(outputs) == 1) for name in outputs},
        nodes=(node,),
        format=FlowFormat.PROMPTY,
        spreads=node.name,
        prompty=Prompty(template, _model(file, head.get("model") or {})),
        sample=Sample(inputs=sample),
        warnings=tuple(f"{file}: {key} is not known here" for key in head if key not in _KNOWN),
    )


def _parts(path: Path) -> tuple[dict[str, Any], str]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FlowInvalid(file=path.name, field=f"byte {error.start}", wanted="UTF-8 text") from None
    found = _HEAD.match(text)
    if found is None:
        raise FlowInvalid(
            file=path.name, field="the file", wanted="a YAML head between two lines of ---, then the prompt"
        )
    return parse_mapping(found["head"].encode(), file=path.name), found["template"]


def _named_plainly(sample: Any, folder: Path, where: str) -> Any:
    """A sample may be the bare name of a file; Prompt flow runs prompties whose file is not there."""
    if not isinstance(sample, str) or not sample.endswith(".json"):
        return sample
    return with_files(f"${{file:{sample}}}", folder, where) if (folder / sample).is_file() else None


def _sample(file: str, written: Any) -> dict[str, Any]:
    if written is None:
        return {}
    if isinstance(written, Mapping):
        # Some samples wrap the values: `sample: {inputs: {question: …}}`.
        inner = written.get("inputs")
        return dict(inner) if isinstance(inner, Mapping) and len(written) == 1 else dict(written)
    raise FlowInvalid(file=file, field="sample", value=written, wanted="a mapping of inputs, or ${file:NAME.json}")


def _inputs(file: str, head: Mapping[str, Any], sample: Mapping[str, Any], template: str) -> dict[str, FlowInput]:
    """Those declared; else those of the sample; else what the template reads."""
    if head.get("inputs"):
        return fields.inputs_of(file, head["inputs"])
    if sample:
        return fields.inputs_like(sample)
    try:
        names = meta.find_undeclared_variables(SANDBOX.parse(template))
    except TemplateSyntaxError as error:
        raise FlowInvalid(file=file, field="the prompt", wanted=f"Jinja that can be read ({error.message})") from None
    except RecursionError:
        raise FlowInvalid(file=file, field="the prompt", wanted="Jinja that is not nested this deeply") from None
    return {name: FlowInput(name, ValueType.ANY) for name in sorted(names)}


def _model(file: str, written: Any) -> PromptyModel:
    if not isinstance(written, Mapping):
        raise FlowInvalid(file=file, field="model", value=written, wanted="a mapping with api and configuration")
    api = written.get("api") or "chat"
    if api not in _APIS:
        raise FlowInvalid(file=file, field="model.api", value=api, wanted=f"one of {', '.join(_APIS)}", known=_APIS)
    for part in ("configuration", "parameters"):
        if not isinstance(written.get(part) or {}, Mapping):
            raise FlowInvalid(file=file, field=f"model.{part}", value=written[part], wanted="a mapping")
    for name in ("messages", "prompt"):
        if name in (written.get("parameters") or {}):
            wanted = "parameters of the model; what it is asked stands below the head"
            raise FlowInvalid(file=file, field=f"model.parameters.{name}", wanted=wanted)
    response = written.get("response") or "first"
    if response not in ("first", "all"):
        raise FlowInvalid(
            file=file, field="model.response", value=response, wanted="first or all", known=("first", "all")
        )
    return PromptyModel(
        api=api,
        configuration=dict(written.get("configuration") or {}),
        parameters=dict(written.get("parameters") or {}),
        returns_all=response == "all",
    )


def _output(name: str, node: Node, *, is_alone: bool) -> FlowOutput:
    # The whole text is the output of a prompty that declares none; of one that does, the keys of its JSON are.
    path = () if name == OUTPUT and is_alone else (name,)
    return FlowOutput(name, ValueType.ANY, Reference(node.name, "output", path), is_chat_output=is_alone)


def _node_name(stem: str) -> str:
    return re.sub(r"\W+", "_", stem)
