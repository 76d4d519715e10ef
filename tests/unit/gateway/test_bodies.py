from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.core.errors import InvalidInput
from opsloop.core.web.json_body import decoded
from opsloop.gateway.openai import ChatRequest

DECODER = msgspec.json.Decoder(ChatRequest)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["model", "messages", "n"]), inner),
    max_leaves=8,
)


@given(st.binary(max_size=60) | JSON.map(lambda value: msgspec.json.encode(_plain(value))))
def test_any_bytes_are_a_request_or_refused_in_a_sentence(body: bytes) -> None:
    refusal = _refusal(body)
    if refusal is not None:
        assert ": " in refusal.sentence
        assert refusal.facts["field"]


def _refusal(body: bytes) -> InvalidInput | None:
    try:
        decoded(DECODER, body)
    except InvalidInput as error:
        return error
    return None


def _plain(value: object) -> object:
    """Without lone surrogates and whole numbers beyond 64 bits, which no encoder of JSON writes."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and not isinstance(value, bool):
        return value % 2**60
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"messages": []}', "model: is missing; wanted a value"),
        (b'{"model": 1, "messages": []}', "model: is a whole number; wanted a string"),
        (b'{"model": "m", "messages": {}}', "messages: is an object; wanted an array"),
        (b'{"model": "m", "messages": [{}]}', "messages[0].role: is missing; wanted a value"),
        (b"[]", "body: is an array; wanted an object"),
    ],
)
def test_the_sentence_names_the_field_and_the_wanted_form(body: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        decoded(DECODER, body)
    assert refused.value.sentence == sentence
