"""A flow as a function of users' Python: `load_flow("path")(question="…")`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.flows.compat.named_connections import named
from opsloop.flows.compat.prompties import AsyncPrompty, Prompty
from opsloop.flows.compat.waiting import iterate, wait_for
from opsloop.flows.formats import flow_file
from opsloop.flows.loaded import LoadedFlow, load
from opsloop.flows.results import FlowResult, TextDelta


@dataclass
class FlowContext:
    """How a flow is to run.

    `connections` are by name, or for one node by its name and the input's; `overrides` replace what the flow's file
    says, by path: `nodes.NODE.inputs.INPUT`.
    """

    connections: Mapping[str, Any] = field(default_factory=dict)
    variant: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    streaming: bool = False
    init: Mapping[str, Any] | None = None


class Flow:
    """A flow that can be called; `context` says how it runs."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = flow_file.find(Path(path))
        self.code = self.path.parent
        self._context = FlowContext()
        self._loaded: LoadedFlow | None = None

    @classmethod
    def load(cls, source: str | PathLike[str], **kwargs: Any) -> Any:
        """The flow at a path; a prompty is a Prompty. Raises: FlowMissing, FlowInvalid."""
        path = flow_file.find(Path(source))
        if path.suffix == ".prompty":
            return (AsyncPrompty if issubclass(cls, AsyncFlow) else Prompty).load(path, **kwargs)
        return cls(path)

    @property
    def context(self) -> FlowContext:
        return self._context

    @context.setter
    def context(self, context: FlowContext) -> None:
        self._context, self._loaded = context, None

    def __call__(self, *args: Any, **inputs: Any) -> Any:
        return self.invoke(_named(args, inputs)).output

    def invoke(self, inputs: Mapping[str, Any], connections: Mapping[str, Any] | None = None) -> LineResult:
        """Run once. Raises: InputInvalid, FlowRunError."""
        flow = self._flow(connections)
        if self._context.streaming and flow.chat_output is not None:
            return LineResult({flow.chat_output: _pieces(flow, inputs)})
        return LineResult(dict(wait_for(flow.run(inputs)).outputs))

    def _flow(self, connections: Mapping[str, Any] | None = None) -> LoadedFlow:
        if self._loaded is None or connections:
            loaded = self._made({**self._context.connections, **(connections or {})})
            if connections:
                return loaded
            self._loaded = loaded
        return self._loaded

    def _made(self, connections: Mapping[str, Any]) -> LoadedFlow:
        context = self._context
        overrides = _overrides(context.overrides)
        names = {node.name for node in flow_file.read(self.path).nodes}
        for name in [name for name in connections if name in names and isinstance(connections[name], Mapping)]:
            overrides[name] = {**connections[name], **overrides.get(name, {})}
        given = {name: value for name, value in connections.items() if name not in overrides}
        overrides, objects = named(overrides)
        given |= objects
        variants = None
        if context.variant:
            node, _, id = context.variant.strip("${}").partition(".")
            variants = {node: id}
        if not (given or overrides or variants or context.init is not None):
            return load(self.path)
        return load(self.path, connections=given, overrides=overrides, variants=variants, init=context.init)


class AsyncFlow(Flow):
    """A flow whose call is awaited."""

    async def __call__(self, *args: Any, **inputs: Any) -> Any:
        return (await self.invoke_async(_named(args, inputs))).output

    async def invoke_async(self, inputs: Mapping[str, Any]) -> LineResult:
        return LineResult(dict((await self._flow().run(inputs)).outputs))


@dataclass(frozen=True, slots=True)
class LineResult:
    """What one run gave."""

    output: dict[str, Any]


def load_flow(source: str | PathLike[str], **kwargs: Any) -> Any:
    """The flow at a path, to be called. Raises: FlowMissing, FlowInvalid."""
    return Flow.load(source, **kwargs)


def _pieces(flow: LoadedFlow, inputs: Mapping[str, Any]) -> Iterator[str]:
    run: AsyncGenerator[TextDelta | FlowResult, None] = flow.stream(inputs)
    return (item.text for item in iterate(run) if isinstance(item, TextDelta))


def _overrides(written: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`{"nodes.NODE.inputs.INPUT": value}` by node. Raises: InvalidInput."""
    found: dict[str, dict[str, Any]] = {}
    for path, value in written.items():
        match path.split("."):
            case ["nodes", node, "inputs", name]:
                found.setdefault(node, {})[name] = value
            case ["nodes", node, "connection"]:
                found.setdefault(node, {})["connection"] = value
            case _:
                raise InvalidInput(field="overrides", value=path, wanted="nodes.NODE.inputs.INPUT")
    return found


def _named(args: tuple[Any, ...], inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    if args:
        raise InvalidInput(field="flow", value=args[0], wanted="inputs by name: flow(question=…)")
    return inputs
