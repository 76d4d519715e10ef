"""A model's answer, sentence by sentence, each as soon as it is proved."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import structlog

from opsloop.core.errors import OpsloopError
from opsloop.llm.port import ChatProvider
from opsloop.rag.answering.generating import prompt
from opsloop.rag.answering.generating.proving import are_proof, share
from opsloop.rag.answering.generating.reading import Claim, Reader
from opsloop.rag.answering.generating.verifying import Place, places
from opsloop.rag.models import Citation, Passage, Sentence
from opsloop.rag.text.addressed import is_to_a_model
from opsloop.rag.text.inert import inert

log = structlog.get_logger(__name__)

ANSWER_TOKENS = 1_200
MOST_SENTENCE_CHARS = 500

# Numbers of citations are given here and by nobody else.
_MARK = re.compile(r"\s*\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\]")


@dataclass(slots=True)
class Written:
    """What came of asking a model.

    Attributes:
        says_unanswerable: whether it wrote, and nothing else, that the passages do not answer.
        trouble: why it did not write to its end, None when it did.
    """

    citations: list[Citation] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    unsupported: int = 0
    says_unanswerable: bool = False
    trouble: str | None = None


async def write(
    provider: ChatProvider,
    question: str,
    passages: Sequence[Passage],
    written: Written,
    *,
    support: float,
    timeout_s: float,
) -> AsyncGenerator[Sentence, None]:
    """The sentences that are proved, which are also kept in `written`; whatever the model does, nothing is raised."""
    reader = Reader()
    read = prompt.that_fit(passages)
    try:
        async with aclosing(_pieces(provider, question, read, timeout_s)) as pieces:
            async for piece in pieces:
                for claim in reader.feed(piece):
                    sentence = _proved(claim, read, written, support)
                    if sentence is not None:
                        yield sentence
                if reader.is_full:
                    written.trouble = "the model wrote too much"
                    break
    except TimeoutError:
        written.trouble = f"the model took longer than {timeout_s:g} seconds"
    except OpsloopError as error:
        log.warning("answer_not_generated", reason=str(error))
        written.trouble = "the model cannot be asked now"
    written.says_unanswerable = reader.says_unanswerable and not written.sentences


async def _pieces(
    provider: ChatProvider, question: str, passages: Sequence[Passage], timeout_s: float
) -> AsyncGenerator[str, None]:
    """Raises: TimeoutError, OpsloopError."""
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + timeout_s
    stream = provider.stream(prompt.messages(question, passages), temperature=0, max_tokens=ANSWER_TOKENS)
    try:
        while True:
            try:
                piece = await asyncio.wait_for(anext(stream), ends_s - loop.time())
            except StopAsyncIteration:
                return
            if isinstance(piece, str):
                yield piece
    finally:
        await _close(stream)


async def _close(stream: AsyncIterator[object]) -> None:
    close = getattr(stream, "aclose", None)  # an iterator need not be a generator
    if close is not None:
        await close()


def _proved(claim: Claim, passages: Sequence[Passage], written: Written, support: float) -> Sentence | None:
    """The claim as a sentence with citations; None when its quotes are not found or do not prove it."""
    text = inert(_MARK.sub("", " ".join(claim.sentence.split())))
    found = [place for quote in claim.quotes for place in places(quote, passages) if not is_to_a_model(place.around)]
    if not found or len(text) > MOST_SENTENCE_CHARS or not _are_proof(text, found):
        written.unsupported += 1
        return None
    citations = [_citation(text, place, support) for place in found]
    sentence = Sentence(text, tuple(citations), tuple(dict.fromkeys(_numbered(written, each) for each in citations)))
    if sentence.text in [other.text for other in written.sentences]:
        return None
    written.sentences.append(sentence)
    return sentence


def _are_proof(text: str, found: Sequence[Place]) -> bool:
    return are_proof(text, [place.quote for place in found], [place.passage.heading for place in found])


def _numbered(written: Written, citation: Citation) -> int:
    """The number of a citation among those of the answer; the same place is cited once."""
    at = (citation.document_id, citation.start, citation.end)
    for number, known in enumerate(written.citations, start=1):
        if (known.document_id, known.start, known.end) == at:
            return number
    written.citations.append(citation)
    return len(written.citations)


def _citation(text: str, place: Place, support: float) -> Citation:
    return Citation(
        document_id=place.passage.document_id,
        filename=place.passage.filename,
        chunk=place.passage.chunk,
        quote=place.quote,
        start=place.start,
        end=place.end,
        score=round(support * share(text, place.quote), 4),
        page=place.passage.page,
    )
