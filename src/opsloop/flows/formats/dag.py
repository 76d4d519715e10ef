"""`flow.dag.yaml`, Prompt flow's DAG format, read into a `Flow`.

Unknown fields are tolerated, as Prompt flow tolerates them, and told as warnings. Nothing in the file is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from opsloop.flows.errors import FlowInvalid, FlowMissing, nearest
from opsloop.flows.formats.references import FORMS, NotAReference, bind
from opsloop.flows.formats.yaml_file import read_mapping
from opsloop.flows.models import (
    Activate,
    Binding,
    Flow,
    FlowInput,
    FlowOutput,
    Literal,
    Node,
    NodeVariants,
    Source,
    ValueType,
)
from opsloop.flows.values import WrongType, coerce

FILE = "flow.dag.yaml"
_FLOW_FIELDS = frozenset({
    "$schema", "id", "name", "display_name", "type", "description", "tags", "path", "language", "inputs", "outputs",
    "nodes", "node_variants", "additional_includes", "environment", "environment_variables", "message_format",
    "is_chat_flow", "sample",
})  # fmt: skip
_NODE_FIELDS = frozenset({
    "name", "type", "source", "inputs", "connection", "api", "provider", "module", "activate", "aggregation", "reduce",
    "use_variants", "comment", "tool",
})  # fmt: skip
_INPUT_FIELDS = frozenset({
    "type", "default", "is_chat_input", "is_chat_history", "description", "is_multi_select", "enum",
})  # fmt: skip
_OUTPUT_FIELDS = frozenset({"type", "reference", "is_chat_output", "evaluation_only", "description"})


def find(path: Path) -> Path:
    """The flow's file, given its folder or the file itself. Raises: FlowMissing."""
    for candidate in (path, path / FILE, path / "flow.dag.yml"):
        if candidate.is_file():
            return candidate
    raise FlowMissing(path=str(path), noun="flow", name=str(path))


def read(path: Path, *, variants: Mapping[str, str] | None = None) -> Flow:
    """The flow in a folder.

    Args:
        path: the folder, or its flow file.
        variants: node name to the id of the variant to use; the others use their default.
    Raises: FlowMissing, FlowInvalid.
    """
    file = find(path)
    return _Reader(file).flow(read_mapping(file), variants or {})


class _Reader:
    """Reads one file; knows its name for the errors and collects the warnings."""

    def __init__(self, file: Path) -> None:
        self.path = file
        self.file = file.name
        self.warnings: list[str] = []

    def wrong(self, field: str, value: object, wanted: str, known: Iterable[str] = ()) -> FlowInvalid:
        return FlowInvalid(file=self.file, field=field, value=value, wanted=wanted, known=known)

    def flow(self, data: dict[str, Any], wanted_variants: Mapping[str, str]) -> Flow:
        self._unknown("", data, _FLOW_FIELDS)
        variants = self._variants(data)
        chosen = self._choice(variants, wanted_variants)
        folder = self.path.resolve().parent
        flow = Flow(
            name=str(data.get("name") or folder.name),
            folder=folder,
            file=self.file,
            inputs={name: self._input(name, part) for name, part in self._mapping(data, "inputs").items()},
            outputs={name: self._output(name, part) for name, part in self._mapping(data, "outputs").items()},
            nodes=self._nodes(data, variants, chosen),
            variants=variants,
            chosen_variants=chosen,
            additional_includes=tuple(str(each) for each in self._list(data, "additional_includes")),
            environment_variables={k: str(v) for k, v in self._mapping(data, "environment_variables").items()},
            python_requirements=self._mapping(data, "environment").get("python_requirements_txt"),
            message_format=str(data.get("message_format") or "basic"),
        )
        self._references(flow)
        return replace(flow, warnings=tuple(self.warnings))

    # --- parts -------------------------------------------------------------------------------------------------

    def _input(self, name: str, part: Any) -> FlowInput:
        where = f"inputs.{name}"
        part = self._is_mapping(where, part)
        self._unknown(where, part, _INPUT_FIELDS)
        type = self._type(f"{where}.type", part.get("type", "string"))
        is_history = bool(part.get("is_chat_history", name == "chat_history"))
        # A chat without a past is an empty one; Prompt flow's own samples leave the default out.
        has_default = "default" in part or is_history
        default = part.get("default", [] if is_history else None)
        try:
            default = coerce(default, type) if default != "" or type is ValueType.STRING else None
        except WrongType as error:
            raise self.wrong(f"{where}.default", default, error.wanted) from None
        return FlowInput(
            name=name,
            type=type,
            has_default=has_default,
            default=default,
            is_chat_input=bool(part.get("is_chat_input", False)),
            is_chat_history=is_history,
            description=str(part.get("description") or ""),
            choices=_choices(part.get("enum")),
        )

    def _output(self, name: str, part: Any) -> FlowOutput:
        where = f"outputs.{name}"
        part = self._is_mapping(where, part)
        self._unknown(where, part, _OUTPUT_FIELDS)
        if "reference" not in part:
            raise self.wrong(where, part, f"a key 'reference' with {FORMS}")
        return FlowOutput(
            name=name,
            type=self._type(f"{where}.type", part.get("type", "string")),
            binding=self._bind(f"{where}.reference", part["reference"]),
            is_chat_output=bool(part.get("is_chat_output", False)),
            evaluation_only=bool(part.get("evaluation_only", False)),
        )

    def _nodes(
        self, data: dict[str, Any], variants: Mapping[str, NodeVariants], chosen: Mapping[str, str]
    ) -> tuple[Node, ...]:
        nodes: dict[str, Node] = {}
        for index, part in enumerate(self._list(data, "nodes")):
            where = f"nodes[{index}]"
            part = self._is_mapping(where, part)
            name = part.get("name")
            if not isinstance(name, str) or not name:
                raise self.wrong(f"{where}.name", name, "the node's name, as text")
            if name in nodes:
                raise self.wrong(f"{where}.name", name, "a name that no other node has")
            if part.get("use_variants"):
                if name not in variants:
                    raise self.wrong(f"{where}.use_variants", True, f"a key node_variants.{name}")
                nodes[name] = variants[name].variants[chosen[name]]
            else:
                nodes[name] = self._node(where, name, part)
        if not nodes:
            raise self.wrong("nodes", data.get("nodes"), "a list of at least one node")
        return tuple(nodes.values())

    def _node(self, where: str, name: str, part: dict[str, Any]) -> Node:
        self._unknown(where, part, _NODE_FIELDS)
        type = part.get("type")
        if not isinstance(type, str):
            raise self.wrong(f"{where}.type", type, "the type of the node, as text")
        inputs = self._is_mapping(f"{where}.inputs", part.get("inputs") or {})
        return Node(
            name=name,
            type=type,
            source=self._source(f"{where}.source", part),
            inputs={key: self._bind(f"{where}.inputs.{key}", value) for key, value in inputs.items()},
            activate=self._activate(f"{where}.activate", part.get("activate")),
            aggregation=bool(part.get("aggregation", part.get("reduce", False))),
            connection=_text(part.get("connection")),
            api=_text(part.get("api")),
            provider=_text(part.get("provider")),
            module=_text(part.get("module")),
        )

    def _source(self, where: str, part: dict[str, Any]) -> Source:
        source = self._is_mapping(where, part.get("source") or {})
        type = source.get("type", "code")
        kinds = ("code", "package", "package_with_prompt")
        if type not in kinds:
            raise self.wrong(f"{where}.type", type, f"one of {', '.join(kinds)}", kinds)
        return Source(type=type, path=_text(source.get("path")), tool=_text(source.get("tool")))

    def _activate(self, where: str, part: Any) -> Activate | None:
        if not part:
            return None
        part = self._is_mapping(where, part)
        if "when" not in part or "is" not in part:
            raise self.wrong(where, part, "the keys 'when' and 'is'")
        return Activate(when=self._bind(f"{where}.when", part["when"]), value=part["is"])

    def _variants(self, data: dict[str, Any]) -> dict[str, NodeVariants]:
        found = {}
        for name, part in self._mapping(data, "node_variants").items():
            where = f"node_variants.{name}"
            part = self._is_mapping(where, part)
            ways = self._is_mapping(f"{where}.variants", part.get("variants"))
            nodes = {}
            for id, way in ways.items():
                inner = self._is_mapping(f"{where}.variants.{id}", way)
                node = self._is_mapping(f"{where}.variants.{id}.node", inner.get("node"))
                nodes[id] = self._node(f"{where}.variants.{id}.node", name, {"name": name, **node})
            default = part.get("default_variant_id")
            if default not in nodes:
                raise self.wrong(f"{where}.default_variant_id", default, f"one of {', '.join(nodes)}", nodes)
            found[name] = NodeVariants(default_id=default, variants=nodes)
        return found

    def _choice(self, variants: Mapping[str, NodeVariants], wanted: Mapping[str, str]) -> dict[str, str]:
        for name, id in wanted.items():
            if name not in variants:
                known = [f"{near}.{id}"] if (near := nearest(name, variants)) else []
                raise self.wrong("variant", f"{name}.{id}", f"a node with variants ({', '.join(variants)})", known)
            if id not in variants[name].variants:
                ids = [f"{name}.{each}" for each in variants[name].variants]
                raise self.wrong("variant", f"{name}.{id}", f"one of {', '.join(ids)}", ids)
        return {name: wanted.get(name, each.default_id) for name, each in variants.items()}

    # --- checks ------------------------------------------------------------------------------------------------

    def _references(self, flow: Flow) -> None:
        """Every reference names an input or a node that is there."""
        nodes = {node.name: node for node in flow.nodes}
        for index, node in enumerate(flow.nodes):
            where = f"nodes[{index}]" if node.name not in flow.variants else f"node_variants.{node.name}"
            for key, binding in node.inputs.items():
                self._known(f"{where}.inputs.{key}", binding, flow, nodes)
            if node.activate is not None:
                self._known(f"{where}.activate.when", node.activate.when, flow, nodes)
            if not node.aggregation:
                self._no_aggregate(where, node, nodes)
        for name, output in flow.outputs.items():
            self._known(f"outputs.{name}.reference", output.binding, flow, nodes)

    def _known(self, where: str, binding: Binding, flow: Flow, nodes: Mapping[str, Node]) -> None:
        if isinstance(binding, Literal):
            return
        if binding.node is None and binding.name not in flow.inputs:
            near = nearest(binding.name, flow.inputs)
            known = [f"${{inputs.{near}}}"] if near else []
            raise self.wrong(where, str(binding), f"an input of the flow ({', '.join(flow.inputs) or 'none'})", known)
        if binding.node is not None and binding.node not in nodes:
            near = nearest(binding.node, nodes)
            known = [f"${{{near}.output}}"] if near else []
            raise self.wrong(where, str(binding), f"a node of the flow ({', '.join(nodes)})", known)

    def _no_aggregate(self, where: str, node: Node, nodes: Mapping[str, Node]) -> None:
        for reference in node.references():
            if reference.node is not None and nodes[reference.node].aggregation:
                wanted = "a node that is no aggregation: it runs only after all rows"
                raise self.wrong(f"{where} ({node.name})", str(reference), wanted)

    def _bind(self, where: str, value: Any) -> Binding:
        try:
            return bind(value)
        except NotAReference:
            raise self.wrong(where, value, FORMS) from None

    def _type(self, where: str, value: Any) -> ValueType:
        known = [each.value for each in ValueType if each is not ValueType.ANY]
        if str(value) == "number":
            return ValueType.DOUBLE
        if value not in known:
            raise self.wrong(where, value, f"one of {', '.join(known)}", known)
        return ValueType(value)

    def _mapping(self, data: dict[str, Any], key: str) -> dict[str, Any]:
        return self._is_mapping(key, data.get(key) or {})

    def _list(self, data: dict[str, Any], key: str) -> list[Any]:
        value = data.get(key) or []
        if not isinstance(value, list):
            raise self.wrong(key, value, "a list")
        return value

    def _is_mapping(self, where: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.wrong(where, value, "a mapping of keys to values")
        return value

    def _unknown(self, where: str, data: dict[str, Any], known: frozenset[str]) -> None:
        for key in data:
            if key not in known:
                path = f"{where}.{key}" if where else key
                near = nearest(key, known)
                self.warnings.append(f"{self.file}: {path} is not known here" + (f"; near {near!r}" if near else ""))


def _text(value: Any) -> str | None:
    """Optional text; Prompt flow writes `''` for what is not set."""
    return None if value is None or value == "" else str(value)


def _choices(given: Any) -> tuple[str, ...]:
    """The texts of an `enum`; what is no list of texts is left alone, as Prompt flow does."""
    is_texts = isinstance(given, list) and all(isinstance(each, str) for each in given)
    return tuple(given) if is_texts else ()
