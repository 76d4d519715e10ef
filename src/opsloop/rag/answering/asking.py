"""Ask a collection: make the question stand alone, search, then quote or let a model write what quotes prove.

The model is asked after the search's transaction has ended. When it does not write one proved sentence the passages are
quoted, as without a model.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from opsloop.core.caller import Caller
from opsloop.core.errors import OpsloopError
from opsloop.core.workspace import Workspace
from opsloop.llm.offline import OfflineEngine
from opsloop.llm.port import ChatProvider
from opsloop.llm.providers import chat_provider
from opsloop.rag import spans
from opsloop.rag.answering import quoting
from opsloop.rag.answering.following_up import Standalone, Turn, standalone
from opsloop.rag.answering.generating.writing import Written, write
from opsloop.rag.answering.thresholds import min_support
from opsloop.rag.models import DEFAULT_COLLECTION, Answer, Passage, Sentence
from opsloop.rag.searching.service import DEFAULT_TOP_K, MAX_QUESTION, find
from opsloop.rag.settings import RagSettings

GENERATIVE = "generative"
NO_MODEL = "no model is set to write answers; set OPSLOOP_LLM_BASE_URL"
NOTHING_PROVED = "the model wrote nothing that the passages prove"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a collection.

    Attributes:
        generate: whether a model writes the answer; None: when one is set and `rag_generate` says so.
        history: the conversation so far, oldest first.
    """

    question: str
    collection: str = DEFAULT_COLLECTION
    top_k: int = DEFAULT_TOP_K
    filters: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    generate: bool | None = None
    history: Sequence[Turn] = ()


async def ask(workspace: Workspace, caller: Caller, asked: Asked) -> Answer:
    """Raises: InvalidInput, CollectionMissing, ExtraNeeded."""
    async with aclosing(stream(workspace, caller, asked)) as parts:
        async for part in parts:
            if isinstance(part, Answer):
                return part
    raise AssertionError("a stream ends with its answer")


async def stream(workspace: Workspace, caller: Caller, asked: Asked) -> AsyncGenerator[Sentence | Answer, None]:
    """The sentences of an answer as they are proved, and at the end the whole of it. Raises: as `ask`."""
    settings = workspace.section(RagSettings)
    provider, note = writer(workspace, asked.generate, settings)
    question = await _question(asked, provider, settings.rag_generate_timeout_s)
    quoted, passages = await asyncio.to_thread(_quoted, workspace, caller, asked, question)
    searched = question.searched
    quoted = replace(quoted, question=searched if searched != asked.question else None, note=_both(note, quoted.note))
    if provider is None or quoted.abstained:
        async for part in _parts(quoted):
            yield part
        return
    written = Written()
    timeout_s = settings.rag_generate_timeout_s
    with spans.writing(provider):
        async with aclosing(
            write(provider, searched, passages, written, support=quoted.support, timeout_s=timeout_s)
        ) as sentences:
            async for sentence in sentences:
                yield sentence
    async for part in _parts(of_written(written, quoted), given_out=len(written.sentences)):
        yield part


def writer(workspace: Workspace, wanted: bool | None, settings: RagSettings) -> tuple[ChatProvider | None, str | None]:
    """What writes answers, or why nothing does though it was wanted."""
    if not (settings.rag_generate if wanted is None else wanted):
        return None, None
    try:
        provider = chat_provider(workspace.settings)
    except OpsloopError as error:
        return None, str(error)
    if provider.engine == OfflineEngine.engine:
        return None, NO_MODEL if wanted else None
    return provider, None


async def _question(asked: Asked, provider: ChatProvider | None, timeout_s: float) -> Standalone:
    if not asked.history or not 0 < len(asked.question) <= MAX_QUESTION:
        return Standalone(asked.question)
    found = await standalone(asked.question, asked.history, provider, timeout_s=timeout_s)
    return found if len(found.searched) <= MAX_QUESTION else Standalone(asked.question)


def _quoted(workspace: Workspace, caller: Caller, asked: Asked, question: Standalone) -> tuple[Answer, list[Passage]]:
    with workspace.reading(caller) as uow:
        found = find(uow, asked.collection, question.searched, top_k=asked.top_k, filters=asked.filters)
        least = min_support(uow, asked.collection)
    with spans.answer(asked.collection) as span:
        quoted = quoting.answer(question.question, found.passages, carried=question.carried, min_support=least)
        spans.tell_answer(span, quoted)
    return replace(quoted, note=found.note), list(found.passages)


def of_written(written: Written, quoted: Answer) -> Answer:
    """What a model wrote as an answer, or the quoted one with the reason."""
    if written.says_unanswerable:
        return replace(
            quoted,
            answer=quoting.ABSTENTION,
            citations=(),
            abstained=True,
            engine=GENERATIVE,
            unsupported=written.unsupported,
        )
    if not written.sentences:
        return replace(
            quoted, unsupported=written.unsupported, note=_both(written.trouble or NOTHING_PROVED, quoted.note)
        )
    return replace(
        quoted,
        answer=" ".join(marked(sentence) for sentence in written.sentences),
        citations=tuple(written.citations),
        engine=GENERATIVE,
        unsupported=written.unsupported,
        note=_both(written.trouble, quoted.note),
    )


def _both(*notes: str | None) -> str | None:
    return "; ".join(note for note in notes if note is not None) or None


def marked(sentence: Sentence) -> str:
    """A sentence with the numbers of its citations."""
    return " ".join([sentence.text, *(f"[{number}]" for number in sentence.cited)])


async def _parts(answer: Answer, *, given_out: int = 0) -> AsyncIterator[Sentence | Answer]:
    """An answer as it is given out: sentence by sentence where that was not done yet, then whole."""
    if not given_out:
        for number, citation in enumerate(answer.citations, start=1):
            yield Sentence(quoting.shown(citation), (citation,), (number,))
    yield answer
