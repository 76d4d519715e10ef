"""Traces of flows: one span a node, in the words of OpenTelemetry, without anybody's text."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from opsloop.flows import spans
from opsloop.flows.errors import NodeFailed
from opsloop.flows.loaded import load

WriteFlow = Callable[..., Path]

DAG = """
    inputs: {question: {type: string}}
    outputs: {y: {type: string, reference: "${ask.output}"}}
    nodes:
    - {name: look, type: python, source: {path: look.py}, inputs: {q: "${inputs.question}"}}
    - {name: ask, type: llm, source: {path: ask.jinja2}, inputs: {hit: "${look.output}"}}
"""
LOOK = """
    from opentelemetry import trace
    from promptflow.core import tool
    @tool
    def look(q):
        if q == "secret":
            raise ValueError(q)
        return format(trace.get_current_span().get_span_context().span_id, "x")
"""


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(spans, "_tracer", provider.get_tracer("test"))
    return exporter


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def test_nodes_are_spans_below_the_flows_and_users_code_runs_inside(
    write_flow: WriteFlow, model: Any, exported: InMemorySpanExporter
) -> None:
    result = load(write_flow(DAG, **{"look.py": LOOK, "ask.jinja2": "{{hit}}"}), chat=model).run_sync({"question": "q"})
    found = by_name(exported)
    assert set(found) == {"flow demo", "node look", "node ask"}
    flow = found["flow demo"].context
    assert flow is not None
    for name in ("node look", "node ask"):
        parent = found[name].parent
        assert parent is not None
        assert parent.span_id == flow.span_id
    look = found["node look"].context
    assert look is not None
    assert result.node("look").output == format(look.span_id, "x")
    attributes = found["node ask"].attributes or {}
    assert attributes["gen_ai.provider.name"] == "scripted"
    assert attributes["gen_ai.usage.input_tokens"] == 10


def test_a_failed_node_is_marked_without_its_text(
    write_flow: WriteFlow, model: Any, exported: InMemorySpanExporter
) -> None:
    with pytest.raises(NodeFailed):
        load(write_flow(DAG, **{"look.py": LOOK, "ask.jinja2": "x"}), chat=model).run_sync({"question": "secret"})
    span = by_name(exported)["node look"]
    assert (span.attributes or {})["error.type"] == "ValueError"
    assert "secret" not in span.to_json()
