"""What a flow is: its inputs, nodes, outputs and variants, as written by its author."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any


class FlowFormat(StrEnum):
    """The formats a flow can be written in, all of them Prompt flow's."""

    DAG = "dag"
    PROMPTY = "prompty"
    FLEX = "flex"


class ValueType(StrEnum):
    """The types an input of a flow can declare; `any` is what a Python parameter without a type takes."""

    STRING = "string"
    INT = "int"
    DOUBLE = "double"
    BOOL = "bool"
    LIST = "list"
    OBJECT = "object"
    IMAGE = "image"
    FILE_PATH = "file_path"
    SECRET = "secret"  # noqa: S105  the name of a type
    PROMPT_TEMPLATE = "prompt_template"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Reference:
    """`${inputs.question}` or `${retrieve.output.hits[0].text}`.

    `node` is None for an input of the flow; then `name` is the input's name. `path` holds keys and indexes, in order.
    """

    node: str | None
    name: str
    path: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return f"${{inputs.{self.name}{steps}}}" if self.node is None else f"${{{self.node}.output{steps}}}"


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the flow itself."""

    value: Any


Binding = Reference | Literal


@dataclass(frozen=True, slots=True)
class FlowInput:
    name: str
    type: ValueType = ValueType.STRING
    has_default: bool = False
    default: Any = None
    is_chat_input: bool = False
    is_chat_history: bool = False
    description: str = ""
    # The values a form offers (`enum`); none: any.
    choices: tuple[str, ...] = ()
    # The default is made by the Python it stands in, which gets no value then.
    default_in_code: bool = False


@dataclass(frozen=True, slots=True)
class FlowOutput:
    name: str
    type: ValueType
    binding: Binding
    is_chat_output: bool = False
    evaluation_only: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where a node's work is written: a file of the flow, or a tool of an installed package."""

    type: str = "code"
    path: str | None = None
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class Activate:
    """Run the node only when `when` equals `value`."""

    when: Binding
    value: Any


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    type: str
    source: Source = Source()
    inputs: Mapping[str, Binding] = field(default_factory=dict)
    activate: Activate | None = None
    aggregation: bool = False
    connection: str | None = None
    api: str | None = None
    provider: str | None = None
    module: str | None = None

    def references(self) -> list[Reference]:
        """Everything this node waits for, its condition included."""
        bindings = list(self.inputs.values())
        if self.activate is not None:
            bindings.append(self.activate.when)
        return [binding for binding in bindings if isinstance(binding, Reference)]


@dataclass(frozen=True, slots=True)
class NodeVariants:
    """The ways a node can be written, by id."""

    default_id: str
    variants: Mapping[str, Node]


@dataclass(frozen=True, slots=True)
class PromptyModel:
    """What a prompty says of the model it asks.

    `configuration` names a connection or says where the model is; `${env:NAME}` in it is looked up at each run.
    `returns_all` gives the server's whole response, else its first choice.
    """

    api: str = "chat"
    configuration: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    returns_all: bool = False


@dataclass(frozen=True, slots=True)
class Prompty:
    """The parts of a prompty that are no inputs or outputs: its template and its model."""

    template: str
    model: PromptyModel


@dataclass(frozen=True, slots=True)
class Entry:
    """The Python that a flex flow is: a function, or a class that is made once and called for each row.

    `module` is dotted, `name` a function or class in it. `init` are the arguments the class is made with.
    """

    module: str
    name: str
    is_class: bool = False
    has_aggregate: bool = False
    init: Mapping[str, FlowInput] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"


@dataclass(frozen=True, slots=True)
class Sample:
    """Values that show how a flow is used: those of one run, and those its class is made with."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    init: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow as written. `nodes` holds the chosen variant of each node that has several.

    A prompty or flex flow has one node; `spreads` names it: when its value is a mapping, the flow's outputs are the
    mapping's keys, else it is the one output there is.
    """

    name: str
    folder: Path
    file: str
    inputs: Mapping[str, FlowInput]
    outputs: Mapping[str, FlowOutput]
    nodes: tuple[Node, ...]
    variants: Mapping[str, NodeVariants] = field(default_factory=dict)
    chosen_variants: Mapping[str, str] = field(default_factory=dict)
    additional_includes: tuple[str, ...] = ()
    environment_variables: Mapping[str, str] = field(default_factory=dict)
    python_requirements: str | None = None
    message_format: str = "basic"
    warnings: tuple[str, ...] = ()
    format: FlowFormat = FlowFormat.DAG
    spreads: str | None = None
    prompty: Prompty | None = None
    entry: Entry | None = None
    sample: Sample = Sample()

    def node(self, name: str) -> Node:
        """Raises: KeyError."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @property
    def chat_input(self) -> str | None:
        return next((each.name for each in self.inputs.values() if each.is_chat_input), None)

    @property
    def chat_history(self) -> str | None:
        return next((each.name for each in self.inputs.values() if each.is_chat_history), None)

    @property
    def chat_output(self) -> str | None:
        return next((each.name for each in self.outputs.values() if each.is_chat_output), None)


@dataclass(frozen=True, slots=True)
class FlowVersion:
    """One immutable state of a flow, as this platform keeps it.

    `digest` names its content; the same content registered again is the same version. `artifact` is where the artifact
    store has it.
    """

    id: str
    name: str
    version: int
    digest: str
    artifact: str
    size_bytes: int
    created_at: datetime
    created_by: str

    @property
    def ref(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class NodeSummary:
    """A node as a page shows it; `after` names the nodes it waits for."""

    name: str
    type: str
    after: tuple[str, ...]
    aggregation: bool


@dataclass(frozen=True, slots=True)
class OutputSummary:
    name: str
    type: ValueType
    source: str
    is_chat_output: bool


@dataclass(frozen=True, slots=True)
class FlowSummary:
    """A flow version and what is in it; `mermaid` draws it."""

    version: FlowVersion
    inputs: tuple[FlowInput, ...]
    outputs: tuple[OutputSummary, ...]
    nodes: tuple[NodeSummary, ...]
    mermaid: str
    warnings: tuple[str, ...]
