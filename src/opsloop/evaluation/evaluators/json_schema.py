"""Whether the answer is JSON that a schema allows.

The schema is that of the experiment, or of each row (column `schema`). Text around the JSON makes it invalid, but for a
fence of Markdown. A schema may point into itself and at the drafts of JSON Schema, and nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from opsloop.core.errors import ExtraNeeded, shown
from opsloop.evaluation.errors import CannotScore, ExperimentInvalid
from opsloop.evaluation.evaluators.parsed import NoJson, json_of
from opsloop.evaluation.evaluators.registry import ANSWER, Evaluator, Input, Score, register

IsValid = Callable[[Any], bool]


class _Unusable(ValueError):
    """A schema is none."""


def json_schema(options: Mapping[str, Any]) -> Score:
    """1 when the answer is valid JSON of the schema."""
    declared = options.get("schema")
    if declared is not None:
        try:
            of_experiment = _validator(declared)
        except _Unusable as error:
            raise ExperimentInvalid("options.schema", f"a JSON schema ({error})", value=declared) from None

    def score(values: Mapping[str, Any]) -> float | None:
        if declared is None and values.get("schema") is None:
            return None
        is_valid = of_experiment if declared is not None else _of_row(values["schema"])
        try:
            return float(is_valid(json_of(values["answer"])))
        except NoJson:
            return 0.0

    return score


def _of_row(schema: Any) -> IsValid:
    try:
        return _validator(json_of(schema))
    except (NoJson, _Unusable) as error:
        raise CannotScore(f"schema is {shown(schema)}; wanted a JSON schema ({error})") from None


def _validator(schema: Any) -> IsValid:
    """Raises: _Unusable."""
    if not isinstance(schema, Mapping | bool):
        raise _Unusable("a schema is a mapping")
    return _compiled(msgspec.json.encode(schema))


@lru_cache(maxsize=64)
def _compiled(schema: bytes) -> IsValid:
    try:
        from jsonschema import SchemaError, ValidationError, validators  # an extra
        from jsonschema_specifications import REGISTRY
        from referencing.exceptions import Unresolvable
    except ImportError as error:
        raise ExtraNeeded(what="evaluator json_schema", extra="evaluation") from error
    written = msgspec.json.decode(schema)
    kind = validators.validator_for(written, default=validators.Draft202012Validator)
    try:
        kind.check_schema(written)
    except SchemaError as error:
        raise _Unusable(error.message) from None
    validator = kind(written, registry=REGISTRY)

    def is_valid(value: Any) -> bool:
        try:
            validator.validate(value)
        except ValidationError:
            return False
        except Unresolvable as error:
            raise CannotScore(f"the schema points at {shown(str(error))}, which is not in it") from None
        except RecursionError:
            raise CannotScore("the answer or its schema is nested too deeply") from None
        return True

    return is_valid


_SCHEMA = Input("schema", ("data.schema", "data.json_schema"), required=False)
register(Evaluator("json_schema", (ANSWER, _SCHEMA), json_schema, options=("schema",)))
