"""The share of an answer's citations whose quote is the stored text at its place; None for an answer without any.

Whoever holds the documents compares: `exact` is a list of true or false, one for each citation. It should always be 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.evaluation.evaluators.registry import Evaluator, Input, register
from opsloop.evaluation.evaluators.values import flag, given_list


def citation_exactness(values: Mapping[str, Any]) -> float | None:
    exact = [bool(flag({"exact": each}, "exact")) for each in given_list(values, "exact")]
    return sum(exact) / len(exact) if exact else None


register(
    Evaluator("citation_exactness", (Input("exact", ("run.outputs.citations_exact",)),), lambda _: citation_exactness)
)
