"""A chat's messages as Prompt flow has them: the question, and the turns before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsloop.core.errors import InvalidInput
from opsloop.flows.chat_history import Turn
from opsloop.gateway.openai import Message, RefusalPart, TextPart
from opsloop.guardrails.support.models import Said


@dataclass(frozen=True, slots=True)
class Conversation:
    """`texts` holds the text of every message, those that flows do not see too; `roles` says whose they are."""

    question: str
    turns: tuple[Turn, ...]
    texts: tuple[str, ...]
    roles: tuple[str, ...] = ()

    @property
    def said(self) -> tuple[Said, ...]:
        """What user and assistant said, in order."""
        both = zip(self.roles, self.texts, strict=False)
        return tuple(Said(role, text) for role, text in both if role in ("user", "assistant"))


def conversation_of(messages: Sequence[Message]) -> Conversation:
    """Reads messages; the last one must be a user's.

    Messages of `system`, `developer`, `tool` and `function` are left out: a flow brings its own instructions and tools.
    Several messages of one side in a row are one.

    Raises: InvalidInput naming the message.
    """
    if not messages:
        raise InvalidInput("messages: is empty; wanted at least one message", field="messages")
    texts = tuple(_text(message, index) for index, message in enumerate(messages))
    if messages[-1].role != "user":
        last = len(messages) - 1
        raise InvalidInput(field=f"messages[{last}].role", value=messages[-1].role, wanted="'user' in the last message")
    if not texts[-1].strip():
        raise InvalidInput(
            f"messages[{len(messages) - 1}].content: is empty; wanted a question",
            field=f"messages[{len(messages) - 1}].content",
        )
    roles = tuple(message.role for message in messages)
    if len(messages) == 1:
        return Conversation(texts[0], (), texts, roles)
    sides = _sides(messages, texts)
    question = sides.pop()[1]
    return Conversation(question, _turns(sides), texts, roles)


def _sides(messages: Sequence[Message], texts: Sequence[str]) -> list[tuple[str, str]]:
    """Role and text of user and assistant, in turn."""
    sides: list[tuple[str, list[str]]] = []
    for message, text in zip(messages, texts, strict=True):
        if message.role not in ("user", "assistant"):
            continue
        if not sides or sides[-1][0] != message.role:
            sides.append((message.role, []))
        sides[-1][1].append(text)
    return [(role, "\n\n".join(said)) for role, said in sides]


def _turns(sides: Sequence[tuple[str, str]]) -> tuple[Turn, ...]:
    turns = []
    question = ""
    for role, text in sides:
        if role == "user":
            question = text
        else:  # an assistant that speaks first answers nothing
            turns.append(Turn(question, text))
            question = ""
    return tuple(turns)


def _text(message: Message, index: int) -> str:
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    pieces = []
    for place, part in enumerate(message.content):
        if isinstance(part, TextPart):
            pieces.append(part.text)
        elif isinstance(part, RefusalPart):
            pieces.append(part.refusal)
        else:
            field = f"messages[{index}].content[{place}]"
            kind = type(part).__struct_config__.tag
            raise InvalidInput(field=f"{field}.type", value=kind, wanted="'text': endpoints take text only")
    return "\n".join(pieces)
