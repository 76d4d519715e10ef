from pathlib import Path
from typing import Any

import pytest

from opsloop.flows.errors import InputInvalid
from opsloop.flows.mapping import checked_mapping, row_inputs
from opsloop.flows.models import Flow, FlowInput, ValueType

FLOW = Flow(
    "qa",
    Path(),
    "flow.dag.yaml",
    {
        "question": FlowInput("question"),
        "k": FlowInput("k", ValueType.INT, has_default=True, default=3),
        "answer": FlowInput("answer"),
    },
    {},
    (),
)
ROW = {"question": "why?", "k": 9, "q.2": "dotted", "nested": {"text": ["a", "b"]}}


@pytest.mark.parametrize(
    ("mapping", "inputs"),
    [
        ({}, {"question": "why?"}),
        ({"k": "${data.k}"}, {"question": "why?", "k": 9}),
        ({"k": 5}, {"question": "why?", "k": 5}),
        ({"question": "${data.nested.text[1]}"}, {"question": "b"}),
        ({"question": "${data.q.2}"}, {"question": "dotted"}),
        ({"answer": "${run.outputs.answer}"}, {"question": "why?", "answer": "because"}),
        ({"answer": "${run.inputs.hint}"}, {"question": "why?", "answer": "think"}),
    ],
)
def test_mapping_comes_before_default_before_column(mapping: dict[str, Any], inputs: dict[str, Any]) -> None:
    found = row_inputs(FLOW, ROW, mapping, run_outputs={"answer": "because"}, run_inputs={"hint": "think"})
    assert found == inputs


def test_a_column_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(InputInvalid, match="did you mean 'question'"):
        row_inputs(FLOW, ROW, {"question": "${data.quesion}"})


def test_a_mapping_for_no_input_is_refused() -> None:
    with pytest.raises(InputInvalid, match="did you mean 'question'"):
        checked_mapping(FLOW, {"questoin": "${data.q}"})


@pytest.mark.parametrize("value", ["${inputs.x}", "${dat.x}", "${node.output}"])
def test_a_reference_to_elsewhere_is_refused(value: str) -> None:
    with pytest.raises(InputInvalid, match=r"\$\{data\.COLUMN\}"):
        checked_mapping(FLOW, {"question": value})
