"""Column mapping: which column of the data, or of an earlier run, becomes which input of a flow.

For each input, in this order: what the mapping says; the default the flow declares, unless that is null; the column of
the same name. This is Prompt flow's order; a path into a column (`${data.user.name}`) is more than Prompt flow knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from opsloop.flows.errors import InputInvalid, suggestion
from opsloop.flows.formats.references import NotAReference, StepMissing, follow, steps_of
from opsloop.flows.models import Flow

_REFERENCE = re.compile(r"\s*\$\{\s*(?P<source>data|run\.outputs|run\.inputs)(?P<path>[^{}]*)\}\s*")
_ANY = re.compile(r"\s*\$\{[^{}]*\}\s*")
FORMS = "a value, ${data.COLUMN}, ${run.outputs.NAME} or ${run.inputs.NAME}"


def checked_mapping(flow: Flow, mapping: Mapping[str, Any]) -> None:
    """Raises: InputInvalid when a reference is none, or a key is no input of the flow."""
    for name, value in mapping.items():
        if name not in flow.inputs:
            inputs = ", ".join(flow.inputs)
            wanted = f"an input of flow {flow.name} ({inputs}){suggestion(name, flow.inputs)}"
            raise InputInvalid(field="column mapping", value=name, wanted=wanted)
        if isinstance(value, str) and _ANY.fullmatch(value) and not _REFERENCE.fullmatch(value):
            raise InputInvalid(field=f"column mapping.{name}", value=value, wanted=FORMS)


def row_inputs(
    flow: Flow,
    row: Mapping[str, Any],
    mapping: Mapping[str, Any],
    *,
    run_outputs: Mapping[str, Any] | None = None,
    run_inputs: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The inputs of one row; an input that has none of the three is left out, and the run then says so.

    Raises: InputInvalid when the mapping names what the row does not have.
    """
    sources = {"data": row, "run.outputs": run_outputs or {}, "run.inputs": run_inputs or {}}
    inputs = {}
    for name, each in flow.inputs.items():
        if name in mapping:
            inputs[name] = _mapped(name, mapping[name], sources)
        elif name in row and (not each.has_default or each.default is None):
            inputs[name] = row[name]
    return inputs


def _mapped(name: str, value: Any, sources: Mapping[str, Mapping[str, Any]]) -> Any:
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    source = sources[found["source"]]
    if found["path"][1:] in source:  # a column's own name may hold dots
        return source[found["path"][1:]]
    try:
        return follow(source, steps_of(found["path"]))
    except NotAReference:
        raise InputInvalid(field=f"column mapping.{name}", value=value, wanted=FORMS) from None
    except StepMissing as error:
        known = ", ".join(error.known[:12]) or "nothing"
        wanted = f"something the row has ({known}){suggestion(error.step, error.known)}"
        raise InputInvalid(field=f"column mapping.{name}", value=value, wanted=wanted) from None
