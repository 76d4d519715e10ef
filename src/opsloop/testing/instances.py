"""A value that fits a JSON schema, made from the schema alone.

Known: type, enum, const, default and examples, properties, required, items, prefixItems, the limits of numbers, texts,
lists and objects, pattern, format, anyOf, oneOf, allOf, $ref into the schema itself. Other keywords are not looked at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.testing import patterns

# Deeper than this only what is required is made, and deeper than the second nothing.
OPTIONAL_DEPTH = 4
DEPTH_LIMIT = 40
SIZE_LIMIT = 10_000
ECHOED_CHARS = 60

_FORMATS = {
    "date-time": "2027-01-01T12:00:00Z",
    "date": "2027-01-01",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_KINDS = {
    "object": ("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
_MERGED = ("properties", "$defs", "definitions")


def instance(schema: Mapping[str, Any] | bool, *, words: str = "", field: str = "schema") -> Any:
    """A value that fits.

    Args:
        words: what a text without any other rule says, cut to its limits.
        field: what the schema is called in a complaint.

    Raises: InvalidInput when the schema is none, or no value was found.
    """
    return _Making(schema, words, field).value(schema, 0)


class _Making:
    def __init__(self, root: Mapping[str, Any] | bool, words: str, field: str) -> None:
        self.root = root
        self.words = words.strip() or "text"
        self.field = field
        self.made = 0

    def unfit(self, value: object, wanted: str) -> InvalidInput:
        return InvalidInput(field=self.field, value=value, wanted=wanted)

    def value(self, schema: object, depth: int) -> Any:
        self.count(schema, depth)
        if schema is True:
            return self.words[:ECHOED_CHARS]
        if not isinstance(schema, Mapping):
            raise self.unfit(schema, "a JSON schema that some value fits")
        flat = self.flat(schema, depth)
        for key in ("const", "default"):
            if key in flat:
                return flat[key]
        for key in ("enum", "examples"):
            if isinstance(flat.get(key), list) and flat[key]:
                return flat[key][0]
        return self.of_kind(self.kind(flat), flat, depth)

    def count(self, schema: object, depth: int) -> None:
        self.made += 1
        if depth > DEPTH_LIMIT or self.made > SIZE_LIMIT:
            raise self.unfit(schema, f"a schema with a value of at most {DEPTH_LIMIT} levels and {SIZE_LIMIT} parts")

    def flat(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """The schema with what it refers to, all of allOf, and one branch of its alternatives in it."""
        self.count(schema, depth)
        flat = dict(schema)
        parts: list[object] = []
        if (reference := flat.pop("$ref", None)) is not None:
            parts.append(self.referred(reference))
        parts += self.listed(flat.pop("allOf", []), "allOf")
        for key in ("anyOf", "oneOf"):
            if alternatives := self.listed(flat.pop(key, []), key):
                parts.append(self.simplest(alternatives, depth))
        for part in parts:
            if part is False or not isinstance(part, Mapping | bool):
                raise self.unfit(part, "a JSON schema that some value fits")
            if isinstance(part, Mapping):
                flat = self.both(flat, self.flat(part, depth + 1))
        return flat

    def listed(self, value: object, key: str) -> list[object]:
        if not isinstance(value, list):
            raise self.unfit(value, f"a list of schemas for {key}")
        return value

    def referred(self, reference: object) -> object:
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise self.unfit(reference, "a reference into the schema itself, such as #/$defs/name")
        found: object = self.root
        for part in reference.removeprefix("#").removeprefix("/").split("/") if reference != "#" else ():
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or key not in found:
                raise self.unfit(reference, "a reference to a part of the schema that is there")
            found = found[key]
        return found

    def simplest(self, alternatives: list[object], depth: int) -> object:
        """The first alternative; where the value is deep already, null or else one that refers to nothing."""
        if depth < OPTIONAL_DEPTH:
            return alternatives[0]
        plain = [each for each in alternatives if isinstance(each, Mapping) and "'$ref'" not in repr(each)]
        return next((each for each in plain if each.get("type") == "null"), (plain or alternatives)[0])

    def both(self, one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        """What fits both, as far as their keys differ; a limit that both name is taken from the first."""
        joined = {**other, **one}
        for key in _MERGED:
            if isinstance(one.get(key), Mapping) and isinstance(other.get(key), Mapping):
                joined[key] = {**other[key], **one[key]}
        if isinstance(one.get("required"), list) and isinstance(other.get("required"), list):
            joined["required"] = [*one["required"], *other["required"]]
        return joined

    def kind(self, schema: Mapping[str, Any]) -> str:
        kind = schema.get("type")
        if isinstance(kind, list) and kind:
            kind = next((each for each in kind if each != "null"), "null")
        if kind is None:
            return next((name for name, keys in _KINDS.items() if any(key in schema for key in keys)), "string")
        if not isinstance(kind, str):
            raise self.unfit(kind, "a type of JSON schema")
        return kind

    def of_kind(self, kind: str, schema: Mapping[str, Any], depth: int) -> Any:
        match kind:
            case "object":
                return self.mapping(schema, depth)
            case "array":
                return self.array(schema, depth)
            case "string":
                return self.string(schema)
            case "integer" | "number":
                return self.number(schema, whole=kind == "integer")
            case "boolean":
                return True
            case "null":
                return None
        raise self.unfit(kind, "a type of JSON schema")

    def mapping(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        if not isinstance(properties, Mapping) or not isinstance(required, list):
            raise self.unfit(schema, "an object for properties, a list for required")
        names = [*properties] if depth < OPTIONAL_DEPTH else []
        names = list(dict.fromkeys([*names, *(name for name in required if isinstance(name, str))]))
        most = self.limit(schema, "maxProperties", len(names))
        made: dict[str, Any] = {}
        for name in sorted(names, key=lambda name: name not in required)[:most]:
            made[name] = self.value(properties.get(name, True), depth + 1)
        extra = schema.get("additionalProperties", True)
        for number in range(self.limit(schema, "minProperties", 0) - len(made)):
            made[f"key_{number + 1}"] = self.value(extra, depth + 1)
        return {name: made[name] for name in [*(n for n in names if n in made), *(n for n in made if n not in names)]}

    def array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        first = self.listed(schema.get("prefixItems", []), "prefixItems")
        rest = schema.get("items", True)
        least = self.limit(schema, "minItems", 0)
        wanted = max(least, len(first), 1 if depth < OPTIONAL_DEPTH and rest is not False else 0)
        wanted = min(wanted, self.limit(schema, "maxItems", wanted))
        made = [self.value(first[at] if at < len(first) else rest, depth + 1) for at in range(wanted)]
        return self.distinct(made, rest) if schema.get("uniqueItems") is True else made

    def distinct(self, values: list[Any], schema: object) -> list[Any]:
        options = schema.get("enum") if isinstance(schema, Mapping) else None
        if isinstance(options, list) and len(options) >= len(values):
            return options[: len(values)]
        return [_varied(value, at) for at, value in enumerate(values)]

    def string(self, schema: Mapping[str, Any]) -> str:
        least = self.limit(schema, "minLength", 0)
        most = self.limit(schema, "maxLength", max(ECHOED_CHARS, least))
        if isinstance(pattern := schema.get("pattern"), str):
            text = patterns.example(pattern, least=least)
            if text is None or len(text) > self.limit(schema, "maxLength", len(text)):
                raise self.unfit(pattern, "a pattern for which an example can be made")
            return text
        text = _FORMATS.get(str(schema.get("format")), self.words[: min(most, ECHOED_CHARS)])
        return text.ljust(least, ".")[:most]

    def number(self, schema: Mapping[str, Any], *, whole: bool) -> float:
        low = self.bound(schema, "minimum", "exclusiveMinimum", -math.inf)
        high = self.bound(schema, "maximum", "exclusiveMaximum", math.inf)
        step = self.figure(schema, "multipleOf", 1.0 if whole else 0.0)
        for found in _candidates(low, high, step):
            value = round(found) if whole else found
            if self.allows(schema, value, low, high, step):
                return value
        raise self.unfit(dict(schema), "limits that some number fits")

    def allows(self, schema: Mapping[str, Any], value: float, low: float, high: float, step: float) -> bool:
        above = value > low if self.excludes(schema, "exclusiveMinimum", low) else value >= low
        below = value < high if self.excludes(schema, "exclusiveMaximum", high) else value <= high
        fits = step <= 0 or abs(value / step - round(value / step)) < 1e-9
        return above and below and fits

    def excludes(self, schema: Mapping[str, Any], key: str, bound: float) -> bool:
        # Draft 4 says true beside minimum, later drafts the bound itself.
        return schema.get(key) is True or (not isinstance(schema.get(key), bool) and schema.get(key) == bound)

    def bound(self, schema: Mapping[str, Any], inclusive: str, exclusive: str, otherwise: float) -> float:
        found = [self.figure(schema, key, otherwise) for key in (inclusive, exclusive)]
        return max(found) if otherwise < 0 else min(found)

    def figure(self, schema: Mapping[str, Any], key: str, otherwise: float) -> float:
        value = schema.get(key, otherwise)
        if isinstance(value, bool):
            return otherwise
        if not isinstance(value, int | float):
            raise self.unfit(value, f"a number for {key}")
        return value

    def limit(self, schema: Mapping[str, Any], key: str, otherwise: int) -> int:
        value = self.figure(schema, key, otherwise)
        if not 0 <= value <= SIZE_LIMIT:
            raise self.unfit(value, f"a whole number from 0 to {SIZE_LIMIT} for {key}")
        return int(value)


def _candidates(low: float, high: float, step: float) -> list[float]:
    """Numbers that may fit, the plainest first."""
    found: list[float] = [1, 0]
    for bound, sign in ((low, 1), (high, -1)):
        if math.isfinite(bound):
            on_step = (math.ceil if sign > 0 else math.floor)(bound / step) * step if step else bound
            found += [on_step, on_step + sign * (step or 1), bound]
    if math.isfinite(low) and math.isfinite(high):
        found.append((low + high) / 2)
    return [*found, step]


def _varied(value: Any, at: int) -> Any:
    if at == 0 or isinstance(value, bool | None):
        return value
    if isinstance(value, int | float):
        return value + at
    if isinstance(value, str):
        return f"{value} {at + 1}"
    if isinstance(value, dict):
        return {key: _varied(part, at) for key, part in value.items()}
    return [_varied(part, at) for part in value]
