from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.core.errors import InvalidInput
from opsloop.flows.chat_history import Turn
from opsloop.gateway.conversation import Conversation, conversation_of
from opsloop.gateway.openai import Message, TextPart


def messages(*pairs: tuple[str, str]) -> list[Message]:
    return [msgspec.convert({"role": role, "content": text}, Message) for role, text in pairs]


def test_turns_pair_questions_with_answers() -> None:
    found = conversation_of(messages(("user", "a?"), ("assistant", "b."), ("user", "c?")))
    assert (found.question, found.turns) == ("c?", (Turn("a?", "b."),))


def test_messages_of_one_side_in_a_row_are_one() -> None:
    found = conversation_of(messages(("user", "a?"), ("user", "b?"), ("assistant", "c."), ("user", "d"), ("user", "e")))
    assert (found.question, found.turns) == ("d\n\ne", (Turn("a?\n\nb?", "c."),))


def test_an_assistant_that_speaks_first_answers_nothing() -> None:
    found = conversation_of(messages(("assistant", "hello"), ("user", "a?")))
    assert (found.question, found.turns) == ("a?", (Turn("", "hello"),))


def test_instructions_and_tools_are_left_out_of_the_turns_and_counted_as_text() -> None:
    found = conversation_of(messages(("system", "be brief"), ("tool", "42"), ("user", "a?")))
    assert (found.question, found.turns, found.texts) == ("a?", (), ("be brief", "42", "a?"))


def test_text_parts_are_lines_of_one_text() -> None:
    found = conversation_of([Message(role="user", content=[TextPart(text="a"), TextPart(text="b")])])
    assert found.question == "a\nb"


@given(
    st.lists(
        st.tuples(st.sampled_from(["system", "user", "assistant", "tool"]), st.text(min_size=1, max_size=5)),
        max_size=12,
    )
)
def test_any_list_of_messages_gives_a_conversation_or_names_a_message(pairs: list[tuple[str, str]]) -> None:
    found = _conversation_or_refusal(pairs)
    if isinstance(found, InvalidInput):
        assert str(found.facts["field"]).startswith("messages")
        return
    sides = "".join(role[0] for role, _ in pairs if role in ("user", "assistant"))
    assert found.question.endswith(pairs[-1][1])
    assert len(found.turns) == len(re.findall("a+", sides))


def _conversation_or_refusal(pairs: list[tuple[str, str]]) -> Conversation | InvalidInput:
    try:
        return conversation_of(messages(*pairs))
    except InvalidInput as error:
        return error


def test_no_messages_are_refused() -> None:
    with pytest.raises(InvalidInput, match="messages"):
        conversation_of([])
