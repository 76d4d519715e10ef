"""Inputs as the files of prompties and flex flows declare them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.flows.errors import FlowInvalid
from opsloop.flows.models import FlowInput, ValueType
from opsloop.flows.values import WrongType, coerce

HISTORY = "chat_history"
_BY_NAME = {
    "number": ValueType.DOUBLE,
    "float": ValueType.DOUBLE,
    "str": ValueType.STRING,
    "integer": ValueType.INT,
    "boolean": ValueType.BOOL,
    "array": ValueType.LIST,
    "dict": ValueType.OBJECT,
}


def inputs_of(file: str, declared: Any, *, where: str = "inputs") -> dict[str, FlowInput]:
    """The inputs in a mapping of names to types and defaults. Raises: FlowInvalid."""
    if not isinstance(declared, Mapping):
        raise FlowInvalid(file=file, field=where, value=declared, wanted="a mapping of names to types")
    return {name: _input(file, f"{where}.{name}", name, part) for name, part in declared.items()}


def inputs_like(values: Mapping[str, Any]) -> dict[str, FlowInput]:
    """Inputs that take values like these."""
    return {name: FlowInput(name, type_of(value), is_chat_history=name == HISTORY) for name, value in values.items()}


def type_of(value: object) -> ValueType:
    """The type that a value has."""
    for kind, type in _OF_PYTHON.items():
        if isinstance(value, kind):
            return type
    return ValueType.ANY


def with_chat_input(inputs: Mapping[str, FlowInput]) -> dict[str, FlowInput]:
    """The inputs of a flow whose file does not name the chat's: a question, or the one text besides the history.

    Without a history only a text that is alone is taken: a flow of several texts is no chat.
    """
    if any(each.is_chat_input for each in inputs.values()):
        return dict(inputs)
    texts = [name for name, each in inputs.items() if each.type is ValueType.STRING and not each.is_chat_history]
    if HISTORY not in inputs and len(texts) != 1:
        return dict(inputs)
    chat = next((name for name in ("question", "query", "chat_input", *texts) if name in texts), None)
    return {name: _as_chat_input(each) if name == chat else each for name, each in inputs.items()}


_OF_PYTHON = {
    bool: ValueType.BOOL,
    int: ValueType.INT,
    float: ValueType.DOUBLE,
    str: ValueType.STRING,
    list: ValueType.LIST,
    dict: ValueType.OBJECT,
}


def _input(file: str, where: str, name: str, part: Any) -> FlowInput:
    if not isinstance(part, Mapping):
        part = {"default": part, "type": type_of(part).value}
    type = _type(file, f"{where}.type", part.get("type"), part.get("default"))
    is_history = bool(part.get("is_chat_history", name == HISTORY))
    default = part.get("default", [] if is_history else None)
    if default == "" and type not in (ValueType.STRING, ValueType.ANY):  # how Prompt flow writes none
        default = [] if is_history else None
    try:
        default = coerce(default, type)
    except WrongType as error:
        raise FlowInvalid(file=file, field=f"{where}.default", value=default, wanted=error.wanted) from None
    return FlowInput(
        name=name,
        type=type,
        has_default="default" in part or is_history,
        default=default,
        is_chat_input=bool(part.get("is_chat_input", False)),
        is_chat_history=is_history,
        description=str(part.get("description") or ""),
    )


def _type(file: str, where: str, written: object, default: object) -> ValueType:
    if written is None:
        return type_of(default) if default is not None else ValueType.ANY
    text = str(written).lower()
    if text in _BY_NAME:
        return _BY_NAME[text]
    known = [each.value for each in ValueType]
    if text not in known:
        # A flex flow may name a class here, such as a connection; its Python knows what it takes.
        return ValueType.ANY
    return ValueType(text)


def _as_chat_input(each: FlowInput) -> FlowInput:
    return FlowInput(
        name=each.name,
        type=each.type,
        has_default=each.has_default,
        default=each.default,
        is_chat_input=True,
        description=each.description,
        default_in_code=each.default_in_code,
    )
