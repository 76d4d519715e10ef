"""A strategy's plan, fitted to what is released by it."""

from __future__ import annotations

from dataclasses import replace

from opsloop.core.errors import InvalidInput
from opsloop.releases.analysis.evidence import QUALITY
from opsloop.releases.plan import Plan
from opsloop.releases.served import Served

FAR_OFF = 4.0
"""Root mean square errors from which on a number is as wrong as it can be: a bet needs bounded losses."""


def fitted(plan: Plan, served: Served) -> Plan:
    """How good answers are is watched whatever else is: labels and scores of live answers may come at any time. A flow
    may act, and has a shadow only where its owner says that it may be done twice.

    Raises: InvalidInput.
    """
    kinds = tuple(dict.fromkeys((*plan.analysis.kinds, QUALITY.name)))
    plan = replace(plan, analysis=replace(plan.analysis, kinds=kinds))
    if served.kind == "model":
        scale = None if served.rmse is None else FAR_OFF * served.rmse
        return replace(plan, analysis=replace(plan.analysis, error_scale=scale))
    if plan.shadow is not None and not plan.shadow.safe_to_repeat:
        wanted = (
            f"another strategy for {served.ref}: what a flow does, such as calling tools, would be done twice; "
            "or safe_to_repeat: true, when it does nothing that must not be"
        )
        raise InvalidInput(field="strategy", value=plan.strategy, wanted=wanted)
    return plan
