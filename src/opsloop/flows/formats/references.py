"""References from one part of a flow to another: `${inputs.x}`, `${flow.x}`, `${node.output.prop[0]}`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.flows.models import Binding, Literal, Reference

_WHOLE = re.compile(r"\s*\$\{(?P<inside>[^{}]*)\}\s*", re.DOTALL)
_HEAD = re.compile(r"\s*(?P<head>[^.\[\]]+?)\s*(?=[.\[]|$)")
_STEP = re.compile(
    r"""\.\s*(?P<key>[^.\[\]'"\s]+) | \[\s*(?P<index>-?\d+)\s*\] | \[\s*(?P<q>['"])(?P<quoted>.*?)(?P=q)\s*\]""",
    re.VERBOSE,
)
FORMS = "${inputs.NAME} or ${NODE.output} with .KEY and [INDEX]"


class NotAReference(ValueError):
    """Text between `${` and `}` that is none of the known forms."""


def bind(value: Any) -> Binding:
    """A value from a flow's file: a reference when it is text of the form `${…}`, else itself.

    Raises: NotAReference.
    """
    if not isinstance(value, str):
        return Literal(value)
    whole = _WHOLE.fullmatch(value)
    return Literal(value) if whole is None else parse(whole["inside"])


def parse(inside: str) -> Reference:
    """The text between `${` and `}`. Raises: NotAReference."""
    head, steps = _split(inside)
    if head in ("inputs", "flow"):
        if not steps or not isinstance(steps[0], str):
            raise NotAReference(inside)
        return Reference(node=None, name=steps[0], path=steps[1:])
    if not steps:  # `${node}` is short for its output
        return Reference(node=head, name="output")
    if steps[0] not in ("output", "outputs"):
        raise NotAReference(inside)
    return Reference(node=head, name="output", path=steps[1:])


def _split(inside: str) -> tuple[str, tuple[str | int, ...]]:
    head = _HEAD.match(inside)
    if head is None:
        raise NotAReference(inside)
    return head["head"], steps_of(inside[head.end() :])


def steps_of(text: str) -> tuple[str | int, ...]:
    """`.hits[0].text` as keys and indexes. Raises: NotAReference."""
    steps: list[str | int] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise NotAReference(text)
        steps.append(int(step["index"]) if step["index"] is not None else step["key"] or step["quoted"] or "")
        at = step.end()
    return tuple(steps)


class StepMissing(LookupError):
    """A step of a reference's path that the value has no answer for; `known` are the names it does have."""

    def __init__(self, step: str | int, value: object, known: Sequence[str]) -> None:
        super().__init__(step)
        self.step = step
        self.value = value
        self.known = known


def follow(value: Any, path: tuple[str | int, ...]) -> Any:
    """The part of a value that a path names: keys of mappings, indexes of lists, attributes of objects.

    Raises: StepMissing.
    """
    for step in path:
        value = _step_into(value, step)
    return value


def _step_into(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        for key in (step, str(step)):
            if key in value:
                return value[key]
        raise StepMissing(step, value, [str(key) for key in value])
    if isinstance(step, int):
        if isinstance(value, Sequence) and -len(value) <= step < len(value):
            return value[step]
        raise StepMissing(step, value, [])
    # Dunder and private attributes are no data of the flow: a reference must not reach an object's machinery.
    if not step.startswith("_") and hasattr(value, step):
        return getattr(value, step)
    raise StepMissing(step, value, [name for name in getattr(value, "__dict__", ()) if not name.startswith("_")])
