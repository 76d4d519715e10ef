"""pydantic's complaints in our words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from opsloop.core.web.wrong_form import first_fault


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field("x", max_length=3, min_length=1, pattern="^[a-z]*$")
    share: float = Field(0.5, le=1, allow_inf_nan=False)
    tags: list[str] = Field([], max_length=1)
    inner: dict[str, str] = {}

    @field_validator("inner")
    @classmethod
    def _checked(cls, value: dict[str, str]) -> dict[str, str]:
        if "bad" in value:
            raise ValueError("an object without bad")
        return value


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"nam": "x"}, "nam: is not known here"),
        ({"name": 5}, "name: is 5; wanted a valid string"),
        ({"name": "abcd"}, "name: is 'abcd'; wanted at most 3 characters"),
        ({"name": "A"}, "name: is 'A'; wanted text that matches '^[a-z]*$'"),
        ({"share": 2}, "share: is 2; wanted less than or equal to 1"),
        ({"share": float("nan")}, "share: is nan; wanted a finite number"),
        ({"tags": ["a", "b"]}, "tags: is ['a', 'b']; wanted at most 1 item after validation, not 2"),
        ({"tags": [1]}, "tags.0: is 1; wanted a valid string"),
        ({"inner": []}, "inner: is []; wanted an object"),
        ({"inner": {"bad": "x"}}, "inner: is {'bad': 'x'}; wanted an object without bad"),
        ([], "body: is []; wanted an object"),
        (None, "body: is None; wanted an object"),
    ],
)
def test_the_first_fault_names_field_value_and_wanted_form(sent: Any, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Form.model_validate(sent)
    assert first_fault(caught.value).sentence == sentence


@pytest.mark.parametrize("text", ["{", "", "[" * 500, '{"name": "\\ud800"}'])
def test_what_is_no_json_is_said(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Form.model_validate_json(text)
    assert first_fault(caught.value).sentence.startswith("body: not valid JSON: ")
