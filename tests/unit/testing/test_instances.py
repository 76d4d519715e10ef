"""Values made from a JSON schema fit it."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsloop.core.errors import InvalidInput
from opsloop.testing.instances import instance


def fits(value: Any, schema: Any) -> bool:
    """Whether a value fits a schema of the keywords that the tests below use."""
    if isinstance(schema, bool):
        return schema
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "anyOf" in schema and not any(fits(value, each) for each in schema["anyOf"]):
        return False
    match schema.get("type"):
        case "object":
            return isinstance(value, dict) and _object_fits(value, schema)
        case "array":
            least, most = schema.get("minItems", 0), schema.get("maxItems", 10_000)
            return (
                isinstance(value, list)
                and least <= len(value) <= most
                and all(fits(each, schema.get("items", True)) for each in value)
            )
        case "string":
            return isinstance(value, str) and _string_fits(value, schema)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool) and _number_fits(value, schema)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool) and _number_fits(value, schema)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
    return True


def _object_fits(value: dict[str, Any], schema: Any) -> bool:
    properties = schema.get("properties", {})
    extra = set(value) - set(properties)
    return (
        set(schema.get("required", [])) <= set(value)
        and (not extra or schema.get("additionalProperties", True) is not False)
        and all(fits(value[name], properties[name]) for name in value if name in properties)
    )


def _string_fits(value: str, schema: Any) -> bool:
    return (
        schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10_000)
        and re.search(schema.get("pattern", ""), value) is not None
    )


def _number_fits(value: float, schema: Any) -> bool:
    return bool(
        value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and value > schema.get("exclusiveMinimum", value - 1)
        and value < schema.get("exclusiveMaximum", value + 1)
        and value % schema.get("multipleOf", value or 1) == 0
    )


@st.composite
def _integers(draw: st.DrawFn) -> dict[str, Any]:
    low = draw(st.integers(-1000, 1000))
    step = draw(st.integers(1, 9))
    return {"type": "integer", "minimum": low, "exclusiveMaximum": low + step + 1, "multipleOf": step}


@st.composite
def _strings(draw: st.DrawFn) -> dict[str, Any]:
    least = draw(st.integers(0, 80))
    return {"type": "string", "minLength": least, "maxLength": least + draw(st.integers(0, 5))}


@st.composite
def _numbers(draw: st.DrawFn) -> dict[str, Any]:
    low = draw(st.floats(-100, 100))
    return {"type": "number", "exclusiveMinimum": low, "maximum": low + draw(st.floats(0.5, 10))}


LEAVES = (
    _integers()
    | _numbers()
    | _strings()
    | st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"enum": ["a", 1, None]}, True, {}])
    | st.sampled_from([{"type": "string", "pattern": r"^\d{3}-[a-z]+$"}, {"type": ["null", "integer"]}])
)


def _compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["a", "b", "c", "d"])
    objects = st.dictionaries(names, inner, max_size=4).flatmap(
        lambda properties: st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.just(properties),
                "required": st.lists(st.sampled_from(sorted(properties) or ["z"]), unique=True, max_size=4),
                "additionalProperties": st.just(not properties),
            }
        )
    )
    arrays = st.tuples(inner, st.integers(0, 3), st.integers(0, 2)).map(
        lambda drawn: {"type": "array", "items": drawn[0], "minItems": drawn[1], "maxItems": drawn[1] + drawn[2]}
    )
    return objects | arrays | st.lists(inner, min_size=1, max_size=3).map(lambda each: {"anyOf": each})


SCHEMAS = st.recursive(LEAVES, _compound, max_leaves=8)


@settings(max_examples=300)
@given(SCHEMAS, st.text(max_size=100))
def test_a_value_fits_its_schema(schema: Any, words: str) -> None:
    value = instance(schema, words=words)
    assert fits(value, schema)
    assert instance(schema, words=words) == value


KEYWORDS = (
    "type properties required additionalProperties minProperties items prefixItems minItems maxItems uniqueItems "
    "minLength maxLength pattern format minimum maximum multipleOf enum anyOf allOf $ref $defs"
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 10**6) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYWORDS.split(" ")),
            inner | st.sampled_from(["object", "array", "string", "number", "#", "#/$defs/a", "#/properties"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(["type", "properties", "items", "anyOf", "$ref", "required", "minimum"]), JSON))
def test_what_is_no_schema_is_refused_in_a_sentence(schema: Any) -> None:
    refusal = _refusal(schema)
    assert refusal is None or refusal.sentence.startswith("tools[0]: is ")


def _refusal(schema: Any) -> InvalidInput | None:
    try:
        msgspec.json.encode(instance(schema, field="tools[0]"))
    except InvalidInput as error:
        return error
    return None


def test_references_and_all_of_are_followed() -> None:
    schema = {
        "$defs": {"named": {"type": "object", "properties": {"name": {"const": "Ada"}}, "required": ["name"]}},
        "allOf": [{"$ref": "#/$defs/named"}, {"properties": {"age": {"type": "integer", "minimum": 18}}}],
        "required": ["age"],
    }
    assert instance(schema) == {"name": "Ada", "age": 18}


def test_a_schema_that_holds_itself_ends() -> None:
    tree = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["name", "children"],
    }
    value = instance(tree, words="leaf")
    assert value["children"][0]["name"] == "leaf"


def test_where_a_schema_holds_itself_as_one_choice_the_other_ends_it() -> None:
    schema = {"anyOf": [{"type": "array", "items": {"$ref": "#"}, "minItems": 1}, {"type": "string"}]}
    assert "leaf" in repr(instance(schema, words="leaf"))


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"type": "array", "items": {"$ref": "#"}, "minItems": 3},
        {"$defs": {str(at): {"allOf": [{"$ref": f"#/$defs/{at + 1}"}] * 2} for at in range(30)}, "$ref": "#/$defs/0"},
    ],
)
def test_a_schema_without_an_end_is_refused(schema: Any) -> None:
    with pytest.raises(InvalidInput):
        instance(schema)


def test_the_first_of_an_enum_a_default_and_a_format_are_taken() -> None:
    properties = {
        "unit": {"type": "string", "enum": ["celsius", "kelvin"]},
        "days": {"type": "integer", "default": 3},
        "day": {"type": "string", "format": "date"},
        "place": {"type": "string"},
    }
    value = instance({"type": "object", "properties": properties}, words=" Weather in Oslo? ")
    assert value == {"unit": "celsius", "days": 3, "day": "2027-01-01", "place": "Weather in Oslo?"}


def test_items_that_must_differ_do() -> None:
    schema = {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True}
    assert len(set(instance(schema, words="a"))) == 3
    from_enum = {"type": "array", "items": {"enum": ["x", "y"]}, "minItems": 2, "uniqueItems": True}
    assert instance(from_enum) == ["x", "y"]
