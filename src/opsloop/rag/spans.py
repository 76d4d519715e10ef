"""Spans of a question to a collection: what was retrieved, and what wrote the answer. Nobody's text is in them.

Source of the names: OpenTelemetry semantic conventions for generative AI 0.1, "Retrievals" and "Inference"; `db.*` from
those for databases. Names that begin with `opsloop.` are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, StatusCode

from opsloop.core.telemetry import collecting
from opsloop.core.telemetry.collecting import CollectedSpan
from opsloop.llm.port import ChatProvider
from opsloop.rag.models import Answer, Found


@contextmanager
def retrieval(collection: str, *, top_k: int, system: str) -> Iterator[Span]:
    """Around a search. Args: system: the database, as OpenTelemetry names it."""
    with _below(f"retrieval {collection}", SpanKind.CLIENT) as span:
        span.set_attribute("gen_ai.operation.name", "retrieval")
        span.set_attribute("gen_ai.data_source.id", collection)
        span.set_attribute("gen_ai.retrieval.top_k", top_k)
        span.set_attribute("db.system.name", system)
        yield span


def tell_found(span: Span, found: Found) -> None:
    span.set_attribute("db.response.returned_rows", len(found.passages))


@contextmanager
def answer(collection: str) -> Iterator[Span]:
    """Around the choice of quotations."""
    with _below(f"answer {collection}", SpanKind.INTERNAL) as span:
        yield span


def tell_answer(span: Span, found: Answer) -> None:
    span.set_attribute("opsloop.answer.abstained", found.abstained)
    span.set_attribute("opsloop.answer.citations", len(found.citations))
    span.set_attribute("opsloop.answer.engine", found.engine)


@contextmanager
def writing(provider: ChatProvider) -> Iterator[Span]:
    """Around a model that writes. It is not made current: whoever reads a stream may do so from anywhere."""
    parent = collecting.current()
    if parent is None:
        yield INVALID_SPAN
        return
    model = getattr(provider, "model", None)
    span = CollectedSpan(
        parent.collected, f"chat {model}" if model else "chat", SpanKind.CLIENT, parent.context.span_id
    )
    span.set_attribute("gen_ai.operation.name", "chat")
    span.set_attribute("gen_ai.provider.name", provider.engine)
    if model:
        span.set_attribute("gen_ai.request.model", str(model))
    try:
        yield span
    except Exception as error:
        _fail(span, error)
        raise
    finally:
        span.end()


@contextmanager
def _below(name: str, kind: SpanKind) -> Iterator[Span]:
    parent = collecting.current()
    if parent is None:
        yield INVALID_SPAN
        return
    with collecting.below(parent, name, kind) as span:
        try:
            yield span
        except Exception as error:
            _fail(span, error)
            raise


def _fail(span: Span, error: Exception) -> None:
    """Only the kind of error: its text may hold what a user wrote."""
    span.set_attribute("error.type", type(error).__name__)
    span.set_status(StatusCode.ERROR)
