from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.flows import form
from opsloop.flows.form import Control
from opsloop.flows.models import Flow, FlowInput, Sample, ValueType


def flow_of(*inputs: FlowInput) -> Flow:
    return Flow("f", Path(), "flow.dag.yaml", {each.name: each for each in inputs}, {}, ())


def one(type: ValueType, **options: Any) -> Flow:
    return flow_of(FlowInput("x", type, **options))


@pytest.mark.parametrize("type", list(ValueType))
def test_every_type_has_a_control_and_says_what_it_wants(type: ValueType) -> None:
    (field,) = form.fields(one(type))
    assert field.control in Control
    assert field.wanted
    assert field.is_required is (type is not ValueType.BOOL)


@pytest.mark.parametrize(
    ("type", "text", "value"),
    [
        (ValueType.STRING, " as typed\n", " as typed\n"),
        (ValueType.STRING, "  ", "  "),
        (ValueType.INT, " 7 ", 7),
        (ValueType.DOUBLE, "0.5", 0.5),
        (ValueType.LIST, "[1, [2]]", [1, [2]]),
        (ValueType.OBJECT, '{"a": null}', {"a": None}),
        (ValueType.IMAGE, '{"data:image/png;base64": "aGk="}', {"data:image/png;base64": "aGk="}),
        (ValueType.SECRET, "s3cret", "s3cret"),
        (ValueType.BOOL, "true", True),
        (ValueType.ANY, "[1]", [1]),
        (ValueType.ANY, "no JSON", "no JSON"),
    ],
)
def test_a_text_is_read_as_the_type_it_stands_for(type: ValueType, text: str, value: object) -> None:
    reading = form.read(one(type), {"x": text})
    assert (reading.inputs, reading.faults) == ({"x": value}, {})


@pytest.mark.parametrize(
    ("type", "text", "said"),
    [
        (ValueType.STRING, "", "nothing is given; wanted text"),
        (ValueType.INT, "7.5", "wanted a whole number"),
        (ValueType.INT, "9" * 5_000, "wanted a whole number"),
        (ValueType.DOUBLE, "many", "wanted a number"),
        (ValueType.LIST, "[1,", "not JSON at line 1, column 4; wanted a list as JSON"),
        (ValueType.LIST, "{}", "wanted a list as JSON"),
        (ValueType.LIST, "[" * 100_000, "wanted a list as JSON"),
        (ValueType.OBJECT, '"text"', "wanted an object as JSON"),
        (ValueType.OBJECT, "", "nothing is given; wanted an object as JSON"),
        (ValueType.IMAGE, "no JSON", "wanted an image file"),
        (ValueType.IMAGE, "", "wanted an image file"),
    ],
)
def test_a_fault_names_the_wanted_form(type: ValueType, text: str, said: str) -> None:
    reading = form.read(one(type), {"x": text})
    assert said in reading.faults["x"]
    (field,) = form.fields(one(type), texts={"x": text}, faults=reading.faults)
    assert said in field.fault


def test_an_empty_control_stands_for_the_default() -> None:
    flow = flow_of(
        FlowInput("n", ValueType.INT, True, 3),
        FlowInput("tags", ValueType.LIST, True, ["a"]),
        FlowInput("on", ValueType.BOOL, True, True),
        FlowInput("text", ValueType.STRING, True, "hello"),
    )
    assert form.read(flow, {"n": "", "tags": " "}).inputs == {"on": False}
    assert form.read(flow, {"text": ""}).inputs == {"on": False, "text": ""}
    assert [each.text for each in form.fields(flow)] == ["3", '["a"]', "true", "hello"]


def test_what_was_typed_comes_back_and_a_secret_does_not() -> None:
    flow = flow_of(FlowInput("n", ValueType.INT), FlowInput("key", ValueType.SECRET), FlowInput("on", ValueType.BOOL))
    fields = form.fields(flow, texts={"n": "many", "key": "s3cret"}, values={"on": True})
    assert [each.text for each in fields] == ["many", "", ""]


def test_the_values_of_an_earlier_run_fill_the_form() -> None:
    flow = flow_of(FlowInput("n", ValueType.INT, True, 1), FlowInput("on", ValueType.BOOL, True, True))
    assert [each.text for each in form.fields(flow, values={"n": 5, "on": False})] == ["5", ""]


def test_a_sample_fills_the_form_until_a_run_does() -> None:
    flow = replace(
        flow_of(FlowInput("n", ValueType.INT), FlowInput("x", ValueType.ANY)), sample=Sample({"n": 4, "x": "5"})
    )
    assert [each.text for each in form.fields(flow)] == ["4", '"5"']
    assert form.read(flow, {"n": "4", "x": '"5"'}).inputs == {"n": 4, "x": "5"}
    assert [each.text for each in form.fields(flow, values={"n": 6})] == ["6", ""]


def test_the_history_of_a_chat_is_folded_away_with_an_example() -> None:
    flow = flow_of(
        FlowInput("q", is_chat_input=True), FlowInput("chat_history", ValueType.LIST, True, [], is_chat_history=True)
    )
    history = form.fields(flow)[1]
    assert history.is_folded
    assert form.read(flow, {"q": "x", "chat_history": history.example}).inputs["chat_history"] == [
        {"inputs": {"q": "…"}, "outputs": {"answer": "…"}}
    ]


@given(st.dictionaries(st.sampled_from([each.value for each in ValueType]), st.text()))
def test_no_text_is_too_strange_to_be_read_or_refused(texts: dict[str, str]) -> None:
    flow = flow_of(*(FlowInput(each.value, each) for each in ValueType))
    reading = form.read(flow, texts)
    assert reading.inputs.keys() | reading.faults.keys() == flow.inputs.keys()
    form.fields(flow, texts=texts, faults=reading.faults)


@given(st.one_of(st.lists(st.integers()), st.dictionaries(st.text(), st.floats(allow_nan=False)), st.integers()))
def test_a_default_that_is_shown_reads_back_as_itself(value: Any) -> None:
    type = {list: ValueType.LIST, dict: ValueType.OBJECT, int: ValueType.INT}[value.__class__]
    flow = one(type, has_default=True, default=value)
    (field,) = form.fields(flow)
    finite = not isinstance(value, dict) or all(abs(each) != float("inf") for each in value.values())
    if finite:
        assert form.read(flow, {"x": field.text}).inputs == {"x": value}


def test_an_input_with_choices_offers_them_and_takes_no_other() -> None:
    flow = one(ValueType.STRING, has_default=True, default="kind", choices=("kind", "short"))
    (field,) = form.fields(flow)
    assert (field.control, field.choices, field.text) == (Control.CHOICE, ("kind", "short"), "kind")
    assert form.read(flow, {"x": "short"}).inputs == {"x": "short"}
    assert form.read(flow, {"x": "rude"}).faults == {"x": "is 'rude'; wanted kind or short"}
