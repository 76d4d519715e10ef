"""What a row's model calls cost, in US dollars, and the tokens they used. A row on which the flow failed has no value.

The price is that of the model's name in the table of prices (`OPSLOOP_LLM_PRICES`); where the table has none the cost
is not known, and the row is counted as failed instead of as free. Tokens of calls that no server counted are not known
either; estimates count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.registry import Evaluator, Input, register


def cost(values: Mapping[str, Any]) -> float:
    if values["cost_usd"] is None:
        raise CannotScore("the cost is not known: a model that was asked has no price, or its tokens were not counted")
    return float(values["cost_usd"])


def tokens(values: Mapping[str, Any]) -> float:
    if values["prompt_tokens"] is None or values["completion_tokens"] is None:
        raise CannotScore("the tokens of a model call are not known")
    return float(values["prompt_tokens"] + values["completion_tokens"])


_TOKENS = tuple(Input(name, (f"run.{name}",), required=False) for name in ("prompt_tokens", "completion_tokens"))
_COST = (Input("cost_usd", ("run.cost_usd",), required=False),)
register(Evaluator("cost", _COST, lambda _: cost, higher_is_better=False, worst=None, unit="USD"))
register(Evaluator("tokens", _TOKENS, lambda _: tokens, higher_is_better=False, worst=None, unit="tokens"))
