"""Model calls of a batch that are not made twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from opsloop.flows.batch import BatchResult, run_batch
from opsloop.flows.loaded import load
from opsloop.llm.errors import ModelUnavailable
from opsloop.llm.port import Completion, Message, Usage
from tests.integration.flows.conftest import ScriptedModel

WriteFlow = Callable[..., Path]

THREE_NODES = """
    inputs: {q: {type: string}}
    outputs: {answer: {type: string, reference: "${third.output}"}}
    nodes:
    - {name: first, type: llm, source: {path: p.jinja2}, inputs: {model: m, q: "1 ${inputs.q}"}}
    - {name: second, type: llm, source: {path: p.jinja2}, inputs: {model: m, q: "${first.output}"}}
    - {name: check, type: python, source: {path: check.py}, inputs: {text: "${second.output}"}}
    - {name: third, type: llm, source: {path: p.jinja2}, inputs: {model: m, q: "${check.output}"}}
"""
FILES = {
    "p.jinja2": "user:\n{{q}}\n",
    "check.py": "from promptflow.core import tool\n@tool\ndef check(text: str): return text\n",
}


class Numbered(ScriptedModel):
    """Answers what it was asked and how many calls came before; refuses from a call on."""

    def __init__(self, refuses_from: int | None = None) -> None:
        super().__init__(usage=Usage(7, 3))
        self.refuses_from = refuses_from

    async def chat(self, messages: Sequence[Message], **parameters: Any) -> Completion:
        if self.refuses_from is not None and len(self.asked) >= self.refuses_from:
            raise ModelUnavailable(base_url="here", what="is away")
        self.text = f"{messages[-1]['content']}/{len(self.asked)}"
        return await super().chat(messages, **parameters)


@pytest.fixture
def three(write_flow: WriteFlow) -> Path:
    return write_flow(THREE_NODES.replace("1 ${inputs.q}", "${inputs.q}"), **FILES)


def batch(path: Path, model: ScriptedModel, questions: Sequence[str] = ("a", "b"), **options: Any) -> BatchResult:
    rows = [{"q": question} for question in questions]
    return asyncio.run(run_batch(load(path, chat=model), rows, concurrency=1, **options))


def test_a_row_that_was_cut_off_goes_on_with_the_answers_it_has(three: Path, tmp_path: Path) -> None:
    first = batch(three, Numbered(refuses_from=5), journal=tmp_path / "j")
    model = Numbered()
    second = batch(three, model, journal=tmp_path / "j", retry_failed=True)
    assert [row.error_kind for row in first.rows] == [None, "unavailable"]
    assert [row.error for row in second.rows] == [None, None]
    assert len(model.asked) == 1
    assert second.rows[1].outputs["answer"] == "b/3/4/0"


def test_tokens_of_answers_that_were_there_already_are_counted(three: Path, tmp_path: Path) -> None:
    batch(three, Numbered(refuses_from=5), journal=tmp_path / "j")
    second = batch(three, Numbered(), journal=tmp_path / "j", retry_failed=True)
    assert (second.tokens.prompt, second.tokens.completion, second.tokens.calls) == (42, 18, 6)


def test_rows_that_ask_the_same_get_an_answer_each(three: Path, tmp_path: Path) -> None:
    model = Numbered()
    result = batch(three, model, ["a", "a"], journal=tmp_path / "j")
    assert len(model.asked) == 6
    assert result.rows[0].outputs != result.rows[1].outputs


def test_a_row_that_failed_on_its_answers_asks_again(write_flow: WriteFlow, tmp_path: Path) -> None:
    check = 'from promptflow.core import tool\n@tool\ndef check(text: str): raise ValueError("not " + text)\n'
    path = write_flow(THREE_NODES, **{**FILES, "check.py": check})
    batch(path, Numbered(), ["a"], journal=tmp_path / "j")
    model = Numbered()
    batch(path, model, ["a"], journal=tmp_path / "j", retry_failed=True)
    assert len(model.asked) == 2


def test_without_a_journal_nothing_is_kept(three: Path) -> None:
    model = Numbered()
    batch(three, model)
    batch(three, model)
    assert len(model.asked) == 12


def test_a_cache_answers_the_same_question_of_every_row_and_batch_once(three: Path, tmp_path: Path) -> None:
    model = Numbered()
    first = batch(three, model, ["a", "a", "b"], cache=tmp_path / "cache")
    second = batch(three, model, ["b", "a"], cache=tmp_path / "cache", journal=tmp_path / "j")
    assert len(model.asked) == 6
    assert first.rows[0].outputs == first.rows[1].outputs == second.rows[1].outputs
    assert (first.from_cache, second.from_cache) == (3, 6)


def test_a_damaged_answer_in_the_cache_is_asked_again(three: Path, tmp_path: Path) -> None:
    model = Numbered()
    batch(three, model, ["a"], cache=tmp_path / "cache")
    for file in (tmp_path / "cache").rglob("*.json"):
        file.write_bytes(file.read_bytes()[:-9])
    batch(three, model, ["a"], cache=tmp_path / "cache")
    assert len(model.asked) > 3


def test_a_cache_that_cannot_be_written_fails_the_rows_with_a_sentence(three: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    result = batch(three, Numbered(), ["a"], cache=tmp_path / "cache")
    assert "cache cannot be written" in str(result.rows[0].error)


TOOL = """
    inputs: {q: {type: string}}
    outputs: {answer: {type: string, reference: "${ask.output}"}}
    nodes:
    - {name: ask, type: python, source: {path: ask.py}, inputs: {q: "${inputs.q}"}}
    - {name: then, type: llm, source: {path: p.jinja2}, inputs: {model: m, q: "${ask.output}"}}
"""
ASK = """
    from promptflow.core import tool
    from promptflow.tools.openai import chat
    @tool
    def ask(q: str):
        return chat(None, "user:\\n{{q}}\\n", model="m", q=q)
"""


def test_prompt_flows_own_tools_are_not_paid_twice_either(write_flow: WriteFlow, tmp_path: Path) -> None:
    path = write_flow(TOOL, **{"ask.py": ASK, "p.jinja2": FILES["p.jinja2"]})
    first = batch(path, Numbered(refuses_from=1), ["a"], journal=tmp_path / "j")
    model = Numbered()
    second = batch(path, model, ["a"], journal=tmp_path / "j", retry_failed=True)
    assert first.rows[0].error_kind == "unavailable"
    assert second.rows[0].outputs == {"answer": "a/0"}
    assert len(model.asked) == 1
