"""What pydantic finds wrong, in our words: field, value, wanted form."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from opsloop.core.errors import InvalidInput, shown

_NOUN = re.compile(r"^(?:Value error, |Input should be |Input should |[A-Z]\w* should (?:have |be )?)")


@dataclass(frozen=True, slots=True)
class Fault:
    field: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"{self.field}: {self.problem}"


def fault(found: ErrorDetails, *, skip: int = 0) -> Fault:
    """One of pydantic's errors; the field of the body itself is `body`.

    Args:
        skip: parts at the start of the field's path that the caller did not write.
    """
    field = ".".join(str(part) for part in found["loc"][skip:]) or "body"
    match found["type"]:
        case "json_invalid":
            return Fault("body", f"not valid JSON: {found['ctx']['error']}")
        case "missing":
            return Fault(field, "is missing; wanted a value")
        case "extra_forbidden":
            return Fault(field, "is not known here")
        case "model_attributes_type" | "model_type" | "dict_type":
            return Fault(field, f"is {shown(found.get('input'))}; wanted an object")
        case _:
            return Fault(field, f"is {shown(found.get('input'))}; wanted {_wanted(found['msg'])}")


def first_fault(error: ValidationError) -> InvalidInput:
    """The first thing that is wrong, as an error of ours."""
    found = fault(error.errors(include_url=False)[0])
    return InvalidInput(found.sentence, field=found.field)


def _wanted(message: str) -> str:
    text = _NOUN.sub("", message).replace("match pattern", "text that matches", 1)
    return text[:1].lower() + text[1:]
