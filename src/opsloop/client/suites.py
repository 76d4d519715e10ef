"""Files of expectations: our lists in YAML or JSON, and suites of Great Expectations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.datasets.expectations import declared, great_expectations
from opsloop.datasets.expectations.errors import ExpectationInvalid


@dataclass(frozen=True, slots=True)
class SuiteFile:
    """Expectations as they are declared; `skipped` names what was left out of a Great Expectations suite."""

    declared: tuple[dict[str, Any], ...]
    skipped: tuple[str, ...] = ()


def read(file: Path, *, skip_unknown: bool = False) -> SuiteFile:
    """Raises: InvalidInput naming the file and what is wrong in it."""
    values = _values(file)
    try:
        if great_expectations.is_suite(values):
            assert isinstance(values, Mapping)
            suite = great_expectations.read(values, skip_unknown=skip_unknown)
            return SuiteFile(tuple(each.declared() for each in suite.expectations), suite.skipped)
        return SuiteFile(declared_in(values.get("expectations") if isinstance(values, Mapping) else values))
    except ExpectationInvalid as error:
        raise InvalidInput(f"{file}: {error.sentence}", field="suite") from None


def declared_in(values: object) -> tuple[dict[str, Any], ...]:
    """A list of expectations, each checked. Raises: ExpectationInvalid."""
    return tuple(each.declared() for each in declared.parse(values))


def write(file: Path, name: str, expectations: Sequence[Mapping[str, Any]]) -> None:
    """Write a suite that Great Expectations 1.x loads."""
    suite = great_expectations.written(name, declared.parse(list(expectations)))
    file.write_text(json.dumps(suite, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _values(file: Path) -> object:
    from ruamel.yaml import YAML  # only who reads such a file needs it
    from ruamel.yaml.error import YAMLError

    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{file}: wanted UTF-8 text", field="suite") from None
    try:
        if file.suffix.lower() == ".json":
            return json.loads(text)
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError) as error:
        raise InvalidInput(f"{file}: {' '.join(str(error).split())}", field="suite") from None
