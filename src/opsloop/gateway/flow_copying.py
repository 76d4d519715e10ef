"""Have a candidate in the shadow asked what stable has answered: chats and invocations of flows.

Only word counts go on record: how alike the two answers are, whether they abstained, tokens and time. Their texts are
compared here and thrown away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from opsloop.evaluation.evaluators.squad import f1, normalised
from opsloop.flows.chat_history import chat_answer
from opsloop.gateway.arms import Arms
from opsloop.gateway.dialect import Answer, Dialect
from opsloop.gateway.shadowing import Copies, Said, is_copied
from opsloop.llm.tabs import Tab, opened
from opsloop.releases.routing import Arm, Route

_encode = msgspec.json.Encoder(order="deterministic").encode
MAX_COMPARED = 20_000
"""Characters of an answer that are compared: the rest of a long one changes little, and costs the loop time."""


class FlowCopying:
    def __init__(self, copies: Copies, arms: Arms) -> None:
        self._copies = copies
        self._arms = arms

    def offer(self, route: Route, answered: Answer, dialect: Dialect, *, request_id: str, subject: str) -> None:
        """Ask the candidate too, where the route wants that of this request; its answer must have been sent."""
        if not is_copied(route, request_id):
            return

        async def ask(arm: Arm) -> Said:
            flow = self._arms.flow(arm, route.endpoint)
            with opened(Tab()) as tab:
                result = await flow.run(dialect.inputs(flow))
            answer = Answer(arm, flow, result, dialect.usage(flow, result))
            return Said([_text(answer)], {**answer.facts, "calls": tab.take()}, is_kept=False)

        self._copies.offer(
            route,
            ask,
            request_id=request_id,
            subject=subject,
            answered=[_text(answered)],
            compare=likeness,
            engine="flow",
        )


def likeness(stable: Sequence[Any], candidate: Sequence[Any]) -> float:
    """1 for the same words in any order, 0 for none in common: the F1 of their words, as SQuAD compares answers."""
    (one,), (other,) = stable, candidate
    return 1.0 if one == other else f1(normalised(other), normalised(one))


def _text(answer: Answer) -> str:
    """The chat answer as text; of a flow that gives none, all its outputs as JSON."""
    value = chat_answer(answer.flow.flow, answer.result.outputs)
    if value is None:
        value = answer.result.outputs
    return (value if isinstance(value, str) else _encode(value).decode())[:MAX_COMPARED]
