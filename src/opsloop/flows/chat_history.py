"""A chat as a flow has it: the turns before the question in the form it wants, and its answer among its outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.flows.models import Flow, FlowFormat


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and what was answered."""

    question: Any
    answer: Any


def history(flow: Flow, turns: Iterable[Turn]) -> list[dict[str, Any]]:
    """What the flow's `chat_history` holds: of a DAG inputs and outputs by name, else messages with their roles."""
    if flow.format is FlowFormat.DAG:
        asked, answered = flow.chat_input or "question", flow.chat_output or "answer"
        return [{"inputs": {asked: turn.question}, "outputs": {answered: turn.answer}} for turn in turns]
    return [
        {"role": role, "content": said}
        for turn in turns
        for role, said in (("user", turn.question), ("assistant", turn.answer))
    ]


def chat_answer(flow: Flow, outputs: Mapping[str, Any]) -> Any:
    """The output that is the chat's answer.

    A Python function may give a mapping whose keys nobody declared: then it is `answer`, the one text there is, or all.
    """
    if flow.chat_output in outputs or flow.spreads is None:
        return outputs.get(flow.chat_output or "")
    texts = [value for value in outputs.values() if isinstance(value, str)]
    return outputs.get("answer", texts[0] if len(texts) == 1 else dict(outputs))
