"""The nodes of a flex flow: its function, or the object of its class; and what the class makes of all rows."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from opsloop.core.errors import OpsloopError
from opsloop.flows.call import Call
from opsloop.flows.connections.user_objects import is_connection_class
from opsloop.flows.metrics import log_metric
from opsloop.flows.models import Entry, Node, ValueType
from opsloop.flows.nodes.arguments import connection, parameters_of
from opsloop.flows.nodes.callables import runner_of
from opsloop.flows.nodes.model_configurations import as_model_configuration, is_model_configuration
from opsloop.flows.nodes.port import ENTRY, Kit, Runner
from opsloop.flows.nodes.python import load_module, said
from opsloop.flows.nodes.registry import node_type
from opsloop.flows.nodes.row_objects import RowObjects
from opsloop.flows.values import WrongType, coerce, type_of_annotation


@node_type("flex", is_written=False)
def prepare_flex(node: Node, kit: Kit) -> Runner:
    target = entry_object(node, kit)
    left_out = frozenset(name for name, each in kit.flow.inputs.items() if each.default_in_code)
    runner = runner_of(_called(target, node, kit), {}, kit.threads, written=target)

    def passed(inputs: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in inputs.items() if not (value is None and key in left_out)}

    async def run(inputs: dict[str, Any], call: Call) -> Any:
        return await runner.on_loop(passed(inputs), call)

    if runner.in_thread is None:
        return Runner(run)
    in_thread = runner.in_thread
    return Runner(run, in_thread=lambda inputs: in_thread(passed(inputs)))


def _called(target: Any, node: Node, kit: Kit) -> Callable[..., Any]:
    """What is called for a row: of a class whose rows run in threads, an object that no other row has."""
    entry = kit.flow.entry
    assert entry is not None
    call = type(target).__call__
    if not entry.is_class or kit.is_made or inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call):
        return target  # type: ignore[no-any-return]  # the border to users' code
    return RowObjects(target, lambda: _made(entry, node, kit))


@node_type("flex_aggregate", is_written=False)
def prepare_aggregate(node: Node, kit: Kit) -> Runner:
    aggregate = entry_object(node, kit).__aggregate__
    runner = runner_of(aggregate, {}, kit.threads)
    name = next(iter(parameters_of(aggregate)), "line_results")

    async def run(inputs: dict[str, Any], call: Call) -> Any:
        rows = [as_outputs(each) for each in inputs["line_results"]]
        return _logged(await runner.on_loop({name: rows}, call))

    return Runner(run)


def as_outputs(value: Any) -> Any:
    """What `__aggregate__` gets of a row: a dataclass as a mapping of its fields."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    return value


def entry_object(node: Node, kit: Kit) -> Any:
    """What is called for each row: the function, or the one object of the class. Raises: FlowInvalid."""
    entry = kit.flow.entry
    assert entry is not None
    with kit.once:
        if ENTRY not in kit.kept:
            kit.kept[ENTRY] = _made(entry, node, kit)
        return kit.kept[ENTRY]


def _made(entry: Entry, node: Node, kit: Kit) -> Callable[..., Any]:
    found = getattr(_module(entry, node, kit), entry.name, None)
    if found is None or not callable(found):
        raise kit.wrong(node, "entry", str(entry), "a function or class of that module")
    if not inspect.isclass(found):
        return found  # type: ignore[no-any-return]  # the border to users' code
    if not any("__call__" in vars(base) for base in found.__mro__):
        raise kit.wrong(node, "entry", str(entry), "a class with a method __call__")
    arguments = _init(found, node, kit)
    make: Callable[..., Any] = found
    try:
        made: Callable[..., Any] = make(**arguments)
        return made
    except OpsloopError:
        raise
    except (Exception, SystemExit) as error:  # the rim of users' code
        raise kit.wrong(node, "init", entry.name, f"a class that can be made ({said(error)})") from error


def _module(entry: Entry, node: Node, kit: Kit) -> Any:
    path = entry.module.replace(".", "/")
    for place in (f"{path}.py", f"{path}/__init__.py"):
        if (kit.folder / place).is_file():
            return load_module(node, kit, f"{path}.py")
    try:
        return importlib.import_module(entry.module)
    except ImportError as error:
        wanted = f"a module of the flow's folder or an installed one ({error})"
        raise kit.wrong(node, "entry", str(entry), wanted) from error


def _init(kind: type, node: Node, kit: Kit) -> dict[str, Any]:
    """The arguments the class is made with. Raises: FlowInvalid."""
    given: Mapping[str, Any] = kit.init if kit.init is not None else kit.flow.sample.init
    declared = kit.flow.entry.init if kit.flow.entry is not None else {}
    taken = {key: each for key, each in parameters_of(kind).items() if key != "self"}
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in taken.values())
    for key in given:
        if key not in taken and not takes_any:
            wanted = f"what {kind.__name__} is made with ({', '.join(taken) or 'nothing'})"
            raise kit.wrong(node, "init", key, wanted, tuple(taken))
    values = {key: each.default for key, each in declared.items() if each.has_default and not each.default_in_code}
    values = {key: value for key, value in {**values, **given}.items() if key in taken or takes_any}
    for key, each in taken.items():
        if key not in values and each.default is inspect.Parameter.empty and each.kind not in _VARIABLE:
            raise kit.wrong(node, f"init.{key}", None, f"a value that {kind.__name__} is made with: --init {key}=VALUE")
    return {key: _argument(key, value, taken.get(key), node, kit) for key, value in values.items()}


def _argument(key: str, value: Any, parameter: inspect.Parameter | None, node: Node, kit: Kit) -> Any:
    annotation = parameter.annotation if parameter is not None else None
    if is_model_configuration(annotation) and isinstance(value, Mapping | str):
        return as_model_configuration(value, annotation, kit.connections)
    if is_connection_class(annotation) and isinstance(value, str):
        return connection(node, kit, key, value, annotation, parameter)
    type: ValueType | None = type_of_annotation(annotation)
    try:
        return value if type is None else coerce(value, type)
    except WrongType as error:
        raise kit.wrong(node, f"init.{key}", value, error.wanted) from None


def _logged(result: Any) -> Any:
    """What `__aggregate__` gives are the metrics of the batch, where they are numbers."""
    if isinstance(result, Mapping):
        for name, value in result.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                log_metric(str(name), value)
    return result


_VARIABLE = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
