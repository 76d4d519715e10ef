"""Tools that are methods: their class is made with those of the node's inputs that its constructor takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from opsloop.core.errors import OpsloopError
from opsloop.flows.models import Literal, Node
from opsloop.flows.nodes.arguments import literal, parameters_of
from opsloop.flows.nodes.port import Kit


def method_of(kind: type, name: str, node: Node, kit: Kit) -> Callable[..., Any]:
    """The method of a new object of a class. Raises: FlowInvalid; whatever the constructor raises."""
    taken = {key: each for key, each in parameters_of(kind).items() if key != "self"}
    given = {
        key: literal(node, kit, key, each.value, taken[key])
        for key, each in node.inputs.items()
        if key in taken and isinstance(each, Literal)
    }
    try:
        made = kind(**given)
    except OpsloopError:
        raise
    except (Exception, SystemExit) as error:  # the rim of users' code
        wanted = f"a class that can be made ({type(error).__name__}: {error})"
        raise kit.wrong(node, "source", kind.__name__, wanted) from error
    method = getattr(made, name)
    assert callable(method)

    def call(**inputs: Any) -> Any:
        return method(**{key: value for key, value in inputs.items() if key not in taken})

    call.__signature__ = _joined(taken, parameters_of(method))  # type: ignore[attr-defined]  # inspect reads it, typing does not know it
    call.__name__ = f"{kind.__name__}.{name}"
    return call


def _joined(of_class: Mapping[str, inspect.Parameter], of_method: Mapping[str, inspect.Parameter]) -> inspect.Signature:
    named = {**of_class, **of_method}
    rest = [each for each in named.values() if each.kind is inspect.Parameter.VAR_KEYWORD][:1]
    plain = [each for each in named.values() if each.kind not in _VARIABLE]
    return inspect.Signature([each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in plain] + rest)


_VARIABLE = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
