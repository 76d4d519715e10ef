"""What an answer says of the tokens it used: as models' servers counted them, else an estimate that says it is one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from opsloop.flows.results import TokenUse
from opsloop.llm.token_estimates import PER_MESSAGE, PRIMING, estimate


@dataclass(frozen=True, slots=True)
class Usage:
    prompt: int
    completion: int
    is_estimate: bool


def usage(counted: TokenUse, *, asked: Iterable[str], answered: str) -> Usage:
    """What the model calls used when each was counted by its server; else an estimate of the texts."""
    if counted.calls and not counted.uncounted_calls and not counted.estimated_calls:
        return Usage(counted.prompt, counted.completion, is_estimate=False)
    prompt = PRIMING + sum(PER_MESSAGE + estimate(text) for text in asked)
    return Usage(prompt, max(1, estimate(answered)), is_estimate=True)
