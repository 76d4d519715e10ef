"""Expectations as they are declared: mappings with `expect`, the kind's options, `mostly` and `meta`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.datasets.expectations.errors import ExpectationInvalid
from opsloop.datasets.expectations.kinds.registry import Kind, known
from opsloop.datasets.expectations.models import Expectation
from opsloop.datasets.expectations.options import is_number

LIMIT = 1_000
_COMMON = ("expect", "mostly", "meta")


def parse(values: object, *, at: str = "expectations") -> tuple[Expectation, ...]:
    """Raises: ExpectationInvalid naming the place, the value and the wanted form."""
    if not isinstance(values, list):
        raise ExpectationInvalid(
            at, "a list of expectations such as {expect: not_null, column: question}", value=values
        )
    if len(values) > LIMIT:
        raise ExpectationInvalid(at, f"at most {LIMIT} expectations", value=len(values))
    return tuple(expectation(each, at=f"{at}[{place}]") for place, each in enumerate(values))


def expectation(values: object, *, at: str) -> Expectation:
    """One of them. Raises: ExpectationInvalid."""
    if not isinstance(values, Mapping) or "expect" not in values:
        raise ExpectationInvalid(at, "a mapping such as {expect: not_null, column: question}", value=values)
    kind = known().get(str(values["expect"]))
    if kind is None:
        raise ExpectationInvalid(f"{at}.expect", f"one of {', '.join(known())}", known=known(), value=values["expect"])
    options = _options(kind, values, at)
    mostly, meta = values.get("mostly", 1.0), values.get("meta") or {}
    if not is_number(mostly) or not 0 < mostly <= 1 or (mostly < 1 and not kind.has_mostly):
        wanted = "a share above 0 and at most 1" if kind.has_mostly else "none: it is not about rows"
        raise ExpectationInvalid(f"{at}.mostly", wanted, value=mostly)
    if not isinstance(meta, Mapping):
        raise ExpectationInvalid(f"{at}.meta", "a mapping", value=meta)
    return Expectation(kind.name, options, float(mostly), dict(meta))


def _options(kind: Kind, values: Mapping[str, Any], at: str) -> dict[str, Any]:
    names = [option.name for option in kind.options]
    for name in values:
        if name not in (*names, *_COMMON):
            raise ExpectationInvalid(f"{at}.{name}", f"one of {', '.join([*names, *_COMMON])}", known=names, value=name)
    options = {option.name: values[option.name] for option in kind.options if values.get(option.name) is not None}
    for option in kind.options:
        if option.name not in options and option.required:
            raise ExpectationInvalid(f"{at}.{option.name}", f"{option.form}; it is missing")
        if option.name in options and not option.fits(options[option.name]):
            raise ExpectationInvalid(f"{at}.{option.name}", option.form, value=options[option.name])
    if (lacking := kind.lacks(options)) is not None:
        raise ExpectationInvalid(at, lacking, value=dict(values))
    return options
