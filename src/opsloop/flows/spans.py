"""Spans of flows and nodes, in OpenTelemetry's words for generative AI where a model is called.

Source of the names: OpenTelemetry semantic conventions for generative AI, gen_ai.* attributes.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode

from opsloop.core.telemetry import collecting
from opsloop.core.telemetry.collecting import CollectedSpan
from opsloop.flows.call import Call
from opsloop.flows.models import Flow, Node

_tracer = trace.get_tracer("opsloop.flows")


def flow_span(flow: Flow) -> AbstractContextManager[Span]:
    return _span(f"flow {flow.name}")


def node_span(node: Node) -> AbstractContextManager[Span]:
    return _span(f"node {node.name}")


def model_span(operation: str, model: str | None) -> AbstractContextManager[Span]:
    """Around a call to a model, in a request whose spans are collected."""
    parent = collecting.current()
    if parent is None:
        return nullcontext(INVALID_SPAN)
    return collecting.below(parent, f"{operation} {model}" if model else operation, SpanKind.CLIENT)


def _span(name: str) -> AbstractContextManager[Span]:
    parent = collecting.current()
    if parent is not None:
        return collecting.below(parent, name)
    span = _tracer.start_span(name)
    if not span.get_span_context().is_valid:
        return nullcontext(span)  # nobody traces: making the span current would cost more than a small node
    return trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False)


def describe(span: Span, node: Node, call: Call) -> None:
    """What a node was, and what its model calls used."""
    if not span.is_recording():
        return
    span.set_attribute("opsloop.node.name", node.name)
    span.set_attribute("opsloop.node.type", node.type)
    if call.engine is None:
        return
    if isinstance(span, CollectedSpan):
        return  # the call is a span of its own
    describe_model(span, "chat", call)


def describe_model(span: Span, operation: str, call: Call) -> None:
    """What a model was asked for and used."""
    if not span.is_recording() or call.engine is None:
        return
    span.set_attribute("gen_ai.operation.name", operation)
    span.set_attribute("gen_ai.provider.name", call.engine)
    if call.model is not None:
        span.set_attribute("gen_ai.response.model", call.model)
    if not call.tokens.uncounted_calls:
        span.set_attribute("gen_ai.usage.input_tokens", call.tokens.prompt)
        span.set_attribute("gen_ai.usage.output_tokens", call.tokens.completion)
    if call.tokens.estimated_calls:
        span.set_attribute("opsloop.usage.estimated", True)


def fail(span: Span, error: BaseException) -> None:
    """Only the kind of error: its text may hold what a user wrote."""
    if span.is_recording():
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(Status(StatusCode.ERROR))
