"""Rows as those who tune models take them, and the rules that they hold a row to.

`openai-chat`: supervised fine-tuning, `{"messages": [{"role": "user", …}, {"role": "assistant", …}]}`.
`preference`: direct preference optimisation (R. Rafailov et al., Direct Preference Optimization, NeurIPS 2023),
`{"input": {"messages": […]}, "preferred_output": […], "non_preferred_output": […]}` with one assistant message in each.
Source: https://platform.openai.com/docs/guides/supervised-fine-tuning and …/direct-preference-optimization
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.llm import token_estimates

ROLES = ("system", "developer", "user", "assistant")
MOST_TOKENS = 65_536
"""Of one example, as the models of that guide take it; estimated here."""


def chat(question: str, answer: str) -> dict[str, Any]:
    return {"messages": [_message("user", question), _message("assistant", answer)]}


def preference(question: str, preferred: str, other: str) -> dict[str, Any]:
    return {
        "input": {"messages": [_message("user", question)]},
        "preferred_output": [_message("assistant", preferred)],
        "non_preferred_output": [_message("assistant", other)],
    }


def fault_of_chat(row: Mapping[str, Any]) -> str | None:
    """What is wrong with a row of `openai-chat`; None for a good one."""
    if set(row) != {"messages"}:
        return "it has other keys than messages"
    return _fault(row["messages"], last="assistant")


def fault_of_preference(row: Mapping[str, Any]) -> str | None:
    """What is wrong with a row of `preference`; None for a good one."""
    if set(row) != {"input", "preferred_output", "non_preferred_output"}:
        return "it has other keys than input, preferred_output and non_preferred_output"
    outputs = (row["preferred_output"], row["non_preferred_output"])
    if outputs[0] == outputs[1]:
        return "both outputs are the same"
    if any(len(each) != 1 or each[0].get("role") != "assistant" for each in outputs):
        return "an output is not one assistant message"
    faults = [_fault(row["input"]["messages"], last="user"), *(_fault(each, last="assistant") for each in outputs)]
    return next((each for each in faults if each), None)


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _fault(messages: Sequence[Mapping[str, Any]], *, last: str) -> str | None:
    if not messages or messages[-1].get("role") != last:
        return f"the last message is not the {last}'s"
    for each in messages:
        if set(each) != {"role", "content"} or each["role"] not in ROLES:
            return "a message has not a role and content"
        if not isinstance(each["content"], str) or not each["content"].strip():
            return "a message is empty"
    if sum(token_estimates.estimate(each["content"]) for each in messages) > MOST_TOKENS:
        return f"it has more than {MOST_TOKENS:,} tokens"
    return None
