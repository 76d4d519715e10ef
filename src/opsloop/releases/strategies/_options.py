"""Options of a strategy, checked: unknown keys and wrong values are named with their path."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from opsloop.core.errors import InvalidInput


class Options(BaseModel):
    """A frozen model of options that refuses keys it does not know, and numbers that are not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


O = TypeVar("O", bound=Options)  # noqa: E741 (stands for options)


def read(model: type[O], options: Mapping[str, Any], field: str) -> O:
    """Raises: InvalidInput for the first thing that is wrong."""
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        raise _fault(model, error.errors(include_url=False)[0], field) from None


def _fault(model: type[Options], found: ErrorDetails, field: str) -> InvalidInput:
    path = ".".join([field, *map(str, found["loc"])])
    if found["type"] == "missing":
        return InvalidInput(f"{path} is missing", field=path)
    if found["type"] == "extra_forbidden":
        return InvalidInput(f"{path} is not an option{_nearest(model, found)}", field=path)
    wanted = found["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return InvalidInput(field=path, value=found["input"], wanted=wanted[:1].lower() + wanted[1:])


def _nearest(model: type[BaseModel], found: ErrorDetails) -> str:
    names = _names_at(model, found["loc"][:-1])
    near = get_close_matches(str(found["loc"][-1]), names, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(names) or 'none'}"


def _names_at(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The known keys of the model that a path of the error leads to."""
    for part in path:
        if isinstance(part, str):
            model = _model_in(model.model_fields[part].annotation)
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel]:
    inner = getattr(annotation, "__args__", (annotation,))[0]
    assert isinstance(inner, type)
    assert issubclass(inner, BaseModel)
    return inner
