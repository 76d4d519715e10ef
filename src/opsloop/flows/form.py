"""A form made from a flow's inputs: a control for each, filled with the default, and what was typed read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from opsloop.core.errors import shown
from opsloop.flows.chat_history import Turn, history
from opsloop.flows.models import Flow, FlowInput, ValueType
from opsloop.flows.values import WANTED, WrongType, coerce, plain


class Control(StrEnum):
    """How a value is typed in."""

    TEXT = "text"
    LINE = "line"
    CHOICE = "choice"
    NUMBER = "number"
    CHECKBOX = "checkbox"
    JSON = "json"
    FILE = "file"
    SECRET = "secret"  # noqa: S105  the name of a control


CONTROLS = {
    ValueType.STRING: Control.TEXT,
    ValueType.PROMPT_TEMPLATE: Control.TEXT,
    ValueType.INT: Control.NUMBER,
    ValueType.DOUBLE: Control.NUMBER,
    ValueType.BOOL: Control.CHECKBOX,
    ValueType.LIST: Control.JSON,
    ValueType.OBJECT: Control.JSON,
    ValueType.IMAGE: Control.FILE,
    ValueType.FILE_PATH: Control.LINE,
    ValueType.SECRET: Control.SECRET,
    ValueType.ANY: Control.TEXT,
}
LINE_CHARS = 60
_EXAMPLES = {ValueType.LIST: '["one", "two"]', ValueType.OBJECT: '{"key": "value"}'}


@dataclass(frozen=True, slots=True)
class Field:
    """One control. `text` is what stands in it; `wanted` the form of a value; `fault` what is wrong with the text.

    `is_folded`: seldom typed by hand, such as the history of a chat.
    """

    name: str
    type: ValueType
    control: Control
    is_required: bool
    text: str
    wanted: str
    example: str
    description: str
    is_folded: bool
    fault: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a form gave: the inputs that could be read, and what is wrong with the others, by name."""

    inputs: Mapping[str, Any]
    faults: Mapping[str, str] = field(default_factory=dict)


def fields(
    flow: Flow,
    *,
    values: Mapping[str, Any] | None = None,
    texts: Mapping[str, str] | None = None,
    faults: Mapping[str, str] | None = None,
) -> tuple[Field, ...]:
    """The controls of a flow.

    Args:
        values: those to stand in the controls instead of the defaults, such as the inputs of an earlier run; unset:
            those of the flow's sample.
        texts: as somebody typed them; they win over `values`.
        faults: what is wrong with them.
    """
    values, typed, faults = flow.sample.inputs if values is None else values, texts or {}, faults or {}
    return tuple(
        _field(flow, each, _shown(each, values, typed), faults.get(each.name, "")) for each in flow.inputs.values()
    )


def read(flow: Flow, texts: Mapping[str, str]) -> Reading:
    """The inputs that texts of the controls stand for; an empty control stands for the default."""
    inputs: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for each in flow.inputs.values():
        text = texts.get(each.name, "")
        try:
            if each.choices and text and text not in each.choices:
                faults[each.name] = f"is {shown(text)}; wanted {' or '.join(each.choices)}"
            elif CONTROLS[each.type] is Control.CHECKBOX:
                inputs[each.name] = each.name in texts
            elif text.strip() or (text and each.type is ValueType.STRING):
                inputs[each.name] = _value(each, text)
            elif not each.has_default:
                faults[each.name] = f"nothing is given; wanted {wanted(each.type)}"
            elif each.type is ValueType.STRING and each.name in texts:
                inputs[each.name] = ""  # somebody took the default away
        except WrongType as error:
            faults[each.name] = _fault(each, text, error)
    return Reading(inputs, faults)


def wanted(type: ValueType) -> str:
    """The form of a value, as it is typed."""
    match type:
        case ValueType.LIST:
            return f"a list as JSON, such as {_EXAMPLES[type]}"
        case ValueType.OBJECT:
            return f"an object as JSON, such as {_EXAMPLES[type]}"
        case ValueType.IMAGE:
            return "an image file (PNG, JPEG, GIF or WebP)"
        case ValueType.ANY:
            return "JSON, or text"
        case _:
            return WANTED.get(type, "text")


def _field(flow: Flow, each: FlowInput, text: str, fault: str) -> Field:
    return Field(
        name=each.name,
        type=each.type,
        control=Control.CHOICE if each.choices else CONTROLS[each.type],
        is_required=not each.has_default and each.type is not ValueType.BOOL,
        text=text,
        wanted=wanted(each.type),
        example=_example(flow, each),
        description=each.description,
        is_folded=each.is_chat_history,
        fault=fault,
        choices=each.choices,
    )


def _shown(each: FlowInput, values: Mapping[str, Any], typed: Mapping[str, str]) -> str:
    if each.type in (ValueType.SECRET, ValueType.IMAGE):
        return ""
    if each.name in typed or (typed and each.type is ValueType.BOOL):
        return typed.get(each.name, "")
    value = values.get(each.name, each.default if each.has_default else None)
    if each.type is ValueType.ANY and isinstance(value, str) and _json_or_text(value) != value:
        return json.dumps(value, ensure_ascii=False)  # text that would read as something else
    if each.type is ValueType.BOOL:
        return "true" if value is True else ""
    if value is None:
        return ""
    return value if isinstance(value, str) else _json(plain(value))


def _json(value: Any) -> str:
    """On one line when it is short."""
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= LINE_CHARS else json.dumps(value, ensure_ascii=False, indent=2)


def _value(each: FlowInput, text: str) -> Any:
    """Raises: WrongType."""
    if each.type is ValueType.ANY:
        return _json_or_text(text)
    if each.type is ValueType.LIST:
        return coerce(text, each.type)
    if each.type in (ValueType.OBJECT, ValueType.IMAGE):
        value = coerce(text, ValueType.OBJECT)
        if not isinstance(value, dict):
            raise WrongType(ValueType.OBJECT)
        return value
    return coerce(text.strip() if each.type in (ValueType.INT, ValueType.DOUBLE) else text, each.type)


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _fault(each: FlowInput, text: str, error: WrongType) -> str:
    if isinstance(error.__cause__ or error.__context__, json.JSONDecodeError):
        try:
            json.loads(text)
        except json.JSONDecodeError as cause:
            return f"not JSON at line {cause.lineno}, column {cause.colno}; wanted {wanted(each.type)}"
    return f"wanted {wanted(each.type)}"


def _example(flow: Flow, each: FlowInput) -> str:
    if each.is_chat_history:
        return json.dumps(history(flow, [Turn("…", "…")]), ensure_ascii=False)
    return _EXAMPLES.get(each.type, "")
