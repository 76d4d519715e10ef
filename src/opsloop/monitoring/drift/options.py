"""How an endpoint is watched for drift: the key `drift` of a release's configuration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from opsloop.core.errors import InvalidInput


class Rule(StrEnum):
    """The rule that raises the alarm."""

    SEQUENTIAL = "sequential"
    """An anytime-valid test with a false-alarm rate that the user sets."""
    Z_SCORE = "z_score"
    """The mean of one request's rows against the baseline's mean and standard deviation."""
    NONE = "none"


BLOCKS = ("auto", "row", "request", "hour", "day")


@dataclass(frozen=True, slots=True)
class DriftOptions:
    """How to watch. The defaults are one false alarm in ten million rows, whatever the number of columns."""

    method: Rule = Rule.SEQUENTIAL
    false_alarms_every: float = 10_000_000.0
    """Rows until a false alarm, on average at least; not used when `false_alarms_per_year` is given."""
    false_alarms_per_year: float | None = None
    """False alarms per year, on average at most, whatever the traffic is."""
    tolerance: float = 0.01
    """Change that does not matter, in standard deviations of a column; what the size of the reference leaves open is
    added to it."""
    block: str = "auto"
    """The unit that is taken as independent: row, request, hour, day, a number of rows, or auto."""
    z_limit: float = 5.0
    """Baseline standard deviations above which `z_score` alarms."""
    columns: tuple[str, ...] = ()
    """Inputs to watch; empty means all."""
    watch_predictions: bool = True

    def __post_init__(self) -> None:
        _positive("drift.false_alarms_every", self.false_alarms_every, least=10.0)
        if self.false_alarms_per_year is not None:
            _positive("drift.false_alarms_per_year", self.false_alarms_per_year)
        _positive("drift.z_limit", self.z_limit)
        if not 0.0 <= self.tolerance <= 1.0:
            raise InvalidInput(field="drift.tolerance", value=self.tolerance, wanted="standard deviations from 0 to 1")
        if self.block not in BLOCKS and not (self.block.isdigit() and int(self.block) >= 1):
            raise InvalidInput(field="drift.block", value=self.block, wanted=f"{', '.join(BLOCKS)} or a number of rows")

    @classmethod
    def parse(cls, value: object, path: str = "drift") -> DriftOptions:
        """The options as written under `drift:`; a word alone is the method.

        Raises: InvalidInput names the key, the value and the wanted form.
        """
        if value is None:
            return cls()
        if isinstance(value, str):
            return cls(method=_method(value, path))
        if not isinstance(value, Mapping):
            raise InvalidInput(field=path, value=value, wanted="a mapping, or sequential, z_score or none")
        known = {field.name for field in fields(cls)}
        for key in value:
            if key not in known:
                raise InvalidInput(field=f"{path}.{key}", value=value[key], wanted=f"one of {', '.join(sorted(known))}")
        return cls(**{str(key): _read(str(key), each, path) for key, each in value.items()})  # type: ignore[arg-type]

    def as_mapping(self) -> dict[str, object]:
        """What `parse` reads back."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**found, "method": self.method.value, "columns": list(self.columns)}


def _read(key: str, value: object, path: str) -> object:
    if key == "method":
        return _method(value, path)
    if key == "columns":
        return _names(value, path)
    if key == "block":
        return str(value)
    if key == "watch_predictions":
        if not isinstance(value, bool):
            raise InvalidInput(field=f"{path}.{key}", value=value, wanted="true or false")
        return value
    if value is None and key == "false_alarms_per_year":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(field=f"{path}.{key}", value=value, wanted="a number")
    return float(value)


def _method(value: object, path: str) -> Rule:
    if value in [each.value for each in Rule]:
        return Rule(value)
    raise InvalidInput(field=f"{path}.method", value=value, wanted=", ".join(each.value for each in Rule))


def _names(value: object, path: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise InvalidInput(field=f"{path}.columns", value=value, wanted="a list of names of inputs")
    return tuple(value)


def _positive(field: str, value: float, least: float = 0.0) -> None:
    if not (math.isfinite(value) and value > least):
        raise InvalidInput(field=field, value=value, wanted=f"a number above {least:g}")
