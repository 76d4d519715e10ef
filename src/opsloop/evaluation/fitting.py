"""Mappings as a flow can take them: what feeds no input is left out, as in Prompt flow, and told."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.flows.formats.references import NotAReference, steps_of
from opsloop.flows.mapping import checked_mapping
from opsloop.flows.models import Flow, FlowFormat

_REFERENCE = re.compile(r"\s*\$\{\s*(data|run\.outputs)\.([^{}]+)\}\s*")
# From this likeness on (Ratcliff and Obershelp, 0 to 1) a name is an input's, misspelt.
MISSPELT = 0.85


@dataclass(frozen=True, slots=True)
class Fitted:
    mapping: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


def fitted(flow: Flow, mapping: Mapping[str, Any], field: str) -> Fitted:
    """The part of a mapping that feeds inputs of the flow.

    Raises: InputInvalid for a reference that is none, and for a key that looks like an input, misspelt.
    """
    used, warnings = dict(mapping), []
    inputs = ", ".join(flow.inputs) or "none"
    for name in mapping:
        if name in flow.inputs or _is_misspelt(name, flow.inputs):
            continue
        del used[name]
        warnings.append(f"{field}.{name} was left out: the flow has no input of that name ({inputs})")
    checked_mapping(flow, used)
    return Fitted(used, tuple(warnings))


def check_references(mapping: Mapping[str, Any], columns: Collection[str], target: Flow | None, field: str) -> None:
    """See that what an evaluation flow is fed with is there.

    Args:
        columns: of the dataset that `${data.…}` reads.
        target: the flow that is evaluated, where its outputs are known.
    Raises: ExperimentInvalid.
    """
    for name, value in mapping.items():
        found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            continue
        source, path = found.groups()
        known = columns if source == "data" else outputs_of(target)
        if known is None or path in known or (first := _first(path)) in known:
            continue
        wanted = f"one of {', '.join(known)} in {source}"
        raise ExperimentInvalid(f"{field}.{name}", wanted, known=known, value=first)


def outputs_of(flow: Flow | None) -> Collection[str] | None:
    """Names of a flow's outputs; None where only a run shows them."""
    if flow is None or flow.format is FlowFormat.DAG:
        return None if flow is None else flow.outputs
    return None if list(flow.outputs) == ["output"] else flow.outputs


def _first(path: str) -> str:
    try:
        return str(steps_of(f".{path}")[0])
    except NotAReference:
        return path


def _is_misspelt(name: str, known: Collection[str]) -> bool:
    return any(SequenceMatcher(None, name, each).ratio() >= MISSPELT for each in known)
