"""Python nodes: a function marked `@tool` in a file of the flow, or a tool of an installed package.

Synchronous functions run in threads, asynchronous ones on the loop, both in a copy of the caller's context.
A generator is passed on piece by piece where its node makes the chat output, else put together.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any

from opsloop.core.errors import OpsloopError
from opsloop.flows.errors import suggestion
from opsloop.flows.models import Literal, Node
from opsloop.flows.nodes.package_tools import package_tool
from opsloop.flows.nodes.port import Call, Kit, Runner, ToolRaised
from opsloop.flows.nodes.registry import node_type
from opsloop.flows.values import WrongType, coerce, type_of_annotation

MARK = "__tool"  # what Prompt flow's own decorator leaves on a function, so that both are known
_END = object()


@node_type("python")
def prepare_python(node: Node, kit: Kit) -> Runner:
    function = _function(node, kit)
    literals = _fit(node, kit, function)
    if inspect.isasyncgenfunction(function):
        return _async_generator(function, literals)
    if inspect.iscoroutinefunction(function):
        return _coroutine(function, literals)
    return _synchronous(function, literals, kit)


def _synchronous(function: Callable[..., Any], literals: dict[str, Any], kit: Kit) -> Runner:
    async def run(inputs: dict[str, Any], call: Call) -> Any:
        outcome = await kit.threads.run(function, {**inputs, **literals})
        if outcome.error is not None:
            raise ToolRaised(outcome.error)
        value = outcome.value
        if inspect.isgenerator(value):
            return await _drained(_in_threads(value, kit), call)
        return value

    def run_in_thread(inputs: dict[str, Any]) -> Any:
        value = function(**{**inputs, **literals})
        return _joined_up(list(value)) if inspect.isgenerator(value) else value

    return Runner(run, in_thread=run_in_thread)


def _coroutine(function: Callable[..., Any], literals: dict[str, Any]) -> Runner:
    async def run(inputs: dict[str, Any], call: Call) -> Any:
        try:
            value = await function(**{**inputs, **literals})
        except (Exception, SystemExit) as error:  # the rim of users' code: the executor names the node and the line
            raise ToolRaised(error) from error
        return await _drained(value, call) if inspect.isasyncgen(value) else value

    return Runner(run)


def _async_generator(function: Callable[..., Any], literals: dict[str, Any]) -> Runner:
    async def run(inputs: dict[str, Any], call: Call) -> Any:
        return await _drained(function(**{**inputs, **literals}), call)

    return Runner(run)


async def _in_threads(generator: Iterator[Any], kit: Kit) -> AsyncIterator[Any]:
    """A synchronous generator's items, each made in a thread."""

    def following() -> Any:
        return next(generator, _END)

    while True:
        outcome = await kit.threads.run(following, {})
        if outcome.error is not None:
            raise outcome.error
        if outcome.value is _END:
            return
        yield outcome.value


async def _drained(items: AsyncIterator[Any], call: Call) -> Any:
    """All items: as one text when they are text, else as a list. Each is emitted where somebody listens."""
    gathered = []
    try:
        async for item in items:
            gathered.append(item)
            if call.emit is not None:
                await call.emit(item if isinstance(item, str) else str(item))
    except (Exception, SystemExit) as error:  # the rim of users' code, as above
        raise ToolRaised(error) from error
    return _joined_up(gathered)


def _joined_up(items: list[Any]) -> Any:
    return "".join(items) if all(isinstance(item, str) for item in items) else items


def _function(node: Node, kit: Kit) -> Callable[..., Any]:
    """The function a node calls. Raises: FlowInvalid when its file has none, or fails to load."""
    if node.source.type != "code":
        return package_tool(node, kit)
    path = kit.file_of(node)
    name = node.source.path or path.name
    if path.suffix != ".py":
        raise kit.wrong(node, "source.path", name, "a file of Python (.py)")
    try:
        module = kit.modules.load(name)
    except OpsloopError:
        raise
    except (Exception, SystemExit) as error:  # the rim of users' code: any failure to load is the flow's fault
        raise kit.wrong(node, "source.path", name, f"Python that loads ({_said(error)})") from error
    return _marked(module, node, kit)


def _marked(module: ModuleType, node: Node, kit: Kit) -> Callable[..., Any]:
    own = [each for each in vars(module).values() if getattr(each, "__module__", None) == module.__name__]
    functions = [each for each in own if inspect.isfunction(each) and hasattr(each, MARK)]
    methods = [
        (kind, name)
        for kind in own
        if inspect.isclass(kind)
        for name, each in vars(kind).items()
        if inspect.isfunction(each) and hasattr(each, MARK)
    ]
    if len(functions) + len(methods) != 1:
        found = ", ".join([each.__name__ for each in functions] + [f"{kind.__name__}.{name}" for kind, name in methods])
        raise kit.wrong(node, "source.path", node.source.path, f"one function marked @tool (found {found or 'none'})")
    return functions[0] if functions else _method(*methods[0], node, kit)


def _method(kind: type, name: str, node: Node, kit: Kit) -> Callable[..., Any]:
    """A method of a tool provider, which is made with those of the node's inputs that its constructor takes."""
    taken = set(inspect.signature(kind).parameters)
    given = {key: each.value for key, each in node.inputs.items() if key in taken and isinstance(each, Literal)}
    method = getattr(kind(**given), name)
    assert callable(method)

    def call(**inputs: Any) -> Any:
        return method(**{key: value for key, value in inputs.items() if key not in taken})

    call.__signature__ = _joined(kind, method)  # type: ignore[attr-defined]  # inspect reads it, typing does not know it
    return call


def _joined(kind: type, method: Callable[..., Any]) -> inspect.Signature:
    both = {**inspect.signature(kind).parameters, **inspect.signature(method).parameters}
    return inspect.Signature([each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in both.values()])


def _fit(node: Node, kit: Kit, function: Callable[..., Any]) -> dict[str, Any]:
    """The node's literal inputs in the types its function asks for.

    Raises: FlowInvalid when an input is no parameter of the function, or a parameter has no input.
    """
    parameters = inspect.signature(function).parameters
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    name = getattr(function, "__name__", "its function")
    for key in node.inputs:
        if key not in parameters and not takes_any:
            wanted = f"parameters of {name}() ({', '.join(parameters) or 'none'}){suggestion(key, parameters)}"
            raise kit.wrong(node, "inputs", key, wanted)
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    for key, parameter in parameters.items():
        if key not in node.inputs and parameter.default is inspect.Parameter.empty and parameter.kind in plain:
            raise kit.wrong(node, f"inputs.{key}", None, f"a value for parameter {key!r} of {name}()")
    return {
        key: _literal(node, kit, key, binding.value, parameters.get(key))
        for key, binding in node.inputs.items()
        if isinstance(binding, Literal)
    }


def _literal(node: Node, kit: Kit, key: str, value: Any, parameter: inspect.Parameter | None) -> Any:
    annotation = parameter.annotation if parameter is not None else None
    if _is_connection(annotation) and isinstance(value, str):
        if value not in kit.connections:
            known = tuple(kit.connections)
            raise kit.wrong(node, f"inputs.{key}", value, f"a known connection ({', '.join(known) or 'none'})", known)
        return kit.connections[value]
    type = type_of_annotation(annotation)
    if type is None:
        return value
    try:
        return coerce(value, type)
    except WrongType as error:
        raise kit.wrong(node, f"inputs.{key}", value, error.wanted) from None


def _is_connection(annotation: Any) -> bool:
    """Whether a parameter asks for a connection: a class of Prompt flow's connections, or a name that says so."""
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    module = getattr(annotation, "__module__", "") if inspect.isclass(annotation) else "promptflow"
    return str(name).endswith("Connection") and str(module).partition(".")[0] in ("promptflow", "opsloop")


def _said(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"SyntaxError in line {error.lineno}: {error.msg}"
    return f"{type(error).__name__}: {error}"
