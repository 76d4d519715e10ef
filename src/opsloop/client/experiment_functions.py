"""Files that an experiment names beside it and that go with it as text: functions that measure, judges' prompties."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opsloop.core.errors import InvalidInput

LIMIT_BYTES = 200_000


def with_sources(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The experiment with the text of each `function: file.py:name`.

    Raises: InvalidInput naming the evaluator when a file cannot be read.
    """
    evaluators = values.get("evaluators")
    if not isinstance(evaluators, list):
        return dict(values)
    found = [_with_source(each, folder, f"evaluators[{place}]") for place, each in enumerate(evaluators)]
    return {**values, "evaluators": found}


def _with_source(evaluator: Any, folder: Path, field: str) -> Any:
    if not isinstance(evaluator, Mapping):
        return evaluator
    options = evaluator.get("options")
    if isinstance(options, Mapping) and _names_prompty(options.get("prompty")):
        file = options["prompty"]
        text = text_of(folder / file, f"{field}.options.prompty", file)
        evaluator = {**evaluator, "options": {**options, "prompty": text}}
    function = evaluator.get("function")
    file, _, name = function.rpartition(":") if isinstance(function, str) else ("", "", "")
    if not name or not file.endswith(".py") or evaluator.get("source") is not None:
        return evaluator
    return {**evaluator, "source": text_of(folder / file, f"{field}.function", function)}


def _names_prompty(value: Any) -> bool:
    return isinstance(value, str) and value.endswith(".prompty") and "\n" not in value


def text_of(file: Path, field: str, value: object) -> str:
    """Raises: InvalidInput."""
    try:
        if file.stat().st_size > LIMIT_BYTES:
            raise InvalidInput(field=field, value=value, wanted=f"a file of at most {LIMIT_BYTES:,} bytes")
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise InvalidInput(field=field, value=value, wanted=f"a file that can be read ({file}: {reason})") from None
