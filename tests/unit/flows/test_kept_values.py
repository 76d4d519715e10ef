import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from opsloop.flows.kept_values import HIDDEN, ITEMS, TEXT_CHARS, Room, secrets_of
from opsloop.flows.models import Flow, FlowInput, ValueType

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_a_short_value_is_kept_as_it_is() -> None:
    value = {"a": [1, 2.5, None, True, "text"], "b": {}}
    assert Room().take(value) == value


def test_a_long_text_is_cut_and_says_how_long_it_was() -> None:
    kept = Room().take("x" * 10_000_000)
    assert len(kept) < TEXT_CHARS + 100
    assert kept.endswith("… (10,000,000 characters in all)")


def test_long_lists_and_objects_are_cut() -> None:
    assert Room().take(list(range(1_000)))[ITEMS:] == ["… (1,000 items in all)"]
    assert Room().take({str(n): n for n in range(1_000)})["…"] == "1,000 keys in all"


def test_many_long_texts_together_stay_within_the_room() -> None:
    kept = json.dumps(Room(chars=50_000).take([["x" * 9_000] * 200] * 200))
    assert len(kept) < 50_000 + 200 * 200 * 50


def test_a_number_of_thousands_of_digits_is_told_by_its_size() -> None:
    assert Room().take(10**5_000) == "… (a number of 16,610 bits)"


def test_what_no_database_takes_is_replaced() -> None:
    assert Room().take({"a\0": "b\0c\ud800"}) == {"a␀": "b␀c?"}


def test_secrets_are_hidden_wherever_they_stand() -> None:
    room = Room(["s3cret-token", "ab"])
    kept = room.take({"prompt": "Bearer s3cret-token, again s3cret-token", "whole": "ab", "part": "about"})
    assert kept == {"prompt": f"Bearer {HIDDEN}, again {HIDDEN}", "whole": HIDDEN, "part": "about"}
    assert room.sentence("no access with s3cret-token") == f"no access with {HIDDEN}"


def test_a_secret_is_hidden_before_a_text_is_cut() -> None:
    kept = Room(["s3cret-token"]).take("x" * (TEXT_CHARS - 4) + "s3cret-token")
    assert "s3cr" not in kept


def test_secrets_are_the_inputs_that_the_flow_calls_so() -> None:
    inputs = {"key": FlowInput("key", ValueType.SECRET), "q": FlowInput("q")}
    flow = Flow("f", Path(), "f", inputs, {}, ())
    assert secrets_of(flow, {"key": "k", "q": "open"}) == ["k"]


def test_a_sentence_calls_things_by_their_names() -> None:
    assert Room(named={"0af3": "answer"}).sentence("flow '0af3' failed") == "flow 'answer' failed"


@given(VALUES)
def test_whatever_is_kept_is_strict_json(value: Any) -> None:
    kept = Room().take(value)
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept
