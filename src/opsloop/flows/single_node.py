"""One node of a flow, run alone on inputs that somebody gives: for looking into a flow while it is written."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from opsloop.flows.call import Call
from opsloop.flows.errors import InputInvalid, NodeFailed, suggestion
from opsloop.flows.formats.references import StepMissing, follow
from opsloop.flows.models import FlowInput
from opsloop.flows.nodes.port import ToolRaised
from opsloop.flows.plan import Plan, Step, Wire
from opsloop.flows.results import NodeRun, NodeStatus
from opsloop.flows.values import WrongType, coerce


async def run(plan: Plan, name: str, given: Mapping[str, Any]) -> NodeRun:
    """Run the node of that name; its condition is not asked.

    Args:
        given: by the names of its inputs, or by what they read: `NODE.output`, an input of the flow.
    Raises: InputInvalid when an input is missing or no such node is there; NodeFailed.
    """
    steps = {step.node.name: step for step in (*plan.steps, *plan.aggregation)}
    if name not in steps:
        wanted = f"a node of flow {plan.flow.name} ({', '.join(steps)}){suggestion(name, steps)}"
        raise InputInvalid(field="node", value=name, wanted=wanted)
    step = steps[name]
    inputs = {**step.literals, **{wire.name: _value(plan, step, wire, given) for wire in step.wires}}
    call = Call()
    begun_s = time.monotonic()
    try:
        output = await step.runner.on_loop(inputs, call)
    except ToolRaised as raised:
        reason = f"{type(raised.error).__name__}: {raised.error}"
        raise NodeFailed(node=name, flow=plan.flow.name, reason=reason, where="") from raised.error
    return NodeRun(
        node=name,
        type=step.node.type,
        status=NodeStatus.COMPLETED,
        start_ms=0.0,
        duration_ms=(time.monotonic() - begun_s) * 1000,
        output=output,
        tokens=call.tokens,
        inputs=inputs,
        conversation=call.conversation,
        model=call.model,
    )


def _value(plan: Plan, step: Step, wire: Wire, given: Mapping[str, Any]) -> Any:
    reference = wire.reference
    whole = reference.name if reference.node is None else f"{reference.node}.output"
    declared = plan.flow.inputs.get(reference.name) if reference.node is None else None
    if wire.name in given:
        is_input = declared is not None and not reference.path
        return _typed(wire.name, given[wire.name], declared) if is_input else given[wire.name]
    if whole not in given and declared is not None and declared.has_default:
        found = declared.default
    elif whole in given:
        found = _typed(whole, given[whole], declared)
    else:
        field = f"inputs.{wire.name}"
        wanted = f"a value for this input of node {step.node.name}, or for {whole}"
        raise InputInvalid(f"{field} is missing: wanted {wanted}", field=field, wanted=wanted)
    try:
        return follow(found, reference.path)
    except StepMissing as error:
        raise InputInvalid(field=whole, value=found, wanted=f"something that has {error.step!r}") from None


def _typed(name: str, value: Any, declared: FlowInput | None) -> Any:
    try:
        return value if declared is None else coerce(value, declared.type)
    except WrongType as error:
        raise InputInvalid(field=f"inputs.{name}", value=value, wanted=error.wanted) from None
