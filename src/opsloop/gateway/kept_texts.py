"""The question and the answer of a request, for endpoints that keep them.

What is to be redacted is so before it goes anywhere: no file and no database ever has the words as they were.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool

from opsloop.flows.chat_history import chat_answer
from opsloop.flows.loaded import LoadedFlow
from opsloop.flows.results import FlowResult
from opsloop.guardrails.redaction import redacted
from opsloop.monitoring.models import Texts
from opsloop.releases.kept_texts import KeepTexts
from opsloop.releases.routing import Route, bucket

log = structlog.get_logger()
LIMIT = 16_000
"""Characters of a question and of an answer that are kept."""
# Looking through more takes longer than other callers should wait.
_LONG = 4_000
_SALT = "texts"


async def of_answer(
    route: Route, request_id: str, flow: LoadedFlow, inputs: Mapping[str, Any], result: FlowResult
) -> Texts | None:
    """What is to be kept of an answer; None where nothing is. Never raises: an answer does not fail for it."""
    keeps = route.keep_texts
    if keeps is None or bucket(_SALT, request_id) >= keeps.share:
        return None
    try:
        question, answer = _question(flow, inputs), _answer(flow, result)
        if keeps.redact and len(question) + len(answer) > _LONG:
            question, answer = await run_in_threadpool(lambda: (redacted(question), redacted(answer)))
        elif keeps.redact:
            question, answer = redacted(question), redacted(answer)
        return _texts(keeps, question, answer, _turns(flow, inputs))
    except Exception:  # a flow may give anything; the answer is good all the same
        log.exception("texts_not_kept", endpoint=route.endpoint, request=request_id)
        return None


def _texts(keeps: KeepTexts, question: str, answer: str, turns: int) -> Texts:
    return Texts(question=question[:LIMIT], answer=answer[:LIMIT], days=keeps.days, earlier_turns=turns)


def _question(flow: LoadedFlow, inputs: Mapping[str, Any]) -> str:
    """The chat's question; of other flows the one text there is, or all inputs as JSON."""
    if flow.chat_input is not None and flow.chat_input in inputs:
        return _text(inputs[flow.chat_input])
    return _text(next(iter(inputs.values())) if len(inputs) == 1 else dict(inputs))


def _answer(flow: LoadedFlow, result: FlowResult) -> str:
    said = chat_answer(flow.flow, result.outputs)
    return _text(said if said is not None else dict(result.outputs))


def _turns(flow: LoadedFlow, inputs: Mapping[str, Any]) -> int:
    before = inputs.get(flow.chat_history) if flow.chat_history is not None else None
    return len(before) if isinstance(before, list) else 0


def _text(value: Any) -> str:
    # Redaction sees a little more than is kept, so that what is cut in two is still found.
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text[: LIMIT + 500].encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
