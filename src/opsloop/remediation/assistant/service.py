"""Answer a question of an operator from what is stored, or abstain.

A question whose own words find nothing is asked once more in those of records. Without a model the best sentences are
quoted. With one, it writes, and a sentence stays only when a quote proves it. What stands in records and runbooks is
read and never followed: no part of this can change anything.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from urllib.parse import quote

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.rag.answering import quoting
from opsloop.rag.answering.asking import of_written, writer
from opsloop.rag.answering.generating.writing import Written, write
from opsloop.rag.models import Answer, Citation, Passage
from opsloop.rag.settings import RagSettings
from opsloop.remediation.assistant import choosing, runbooks, wording
from opsloop.remediation.assistant.models import Cited, Reply
from opsloop.remediation.assistant.sources import registry

LONGEST = 2_000
ABSTENTION = "Nothing that is stored answers this question."


@dataclass(frozen=True, slots=True)
class _Evidence:
    passages: list[Passage]
    titles: dict[str, tuple[str, str]]
    runbooks: str
    note: str | None


async def ask(workspace: Workspace, caller: Caller, question: str, *, incident: str | None = None) -> Reply:
    """Args: incident: the only one that is looked at. Raises: InvalidInput, NotFound."""
    caller.require(Role.VIEWER)
    if not question.strip() or len(question) > LONGEST or "\0" in question:
        raise InvalidInput(field="question", value=question, wanted=f"a question of 1 to {LONGEST} characters")
    evidence = await asyncio.to_thread(_gathered, workspace, caller, question, incident)
    quoted = quoting.answer(question, evidence.passages)
    ours = wording.in_our_words(question, workspace.clock.now())
    if quoted.abstained and ours.strip() and ours != question:
        evidence = await asyncio.to_thread(_gathered, workspace, caller, ours, incident)
        quoted = quoting.answer(ours, evidence.passages)
    settings = workspace.section(RagSettings)
    provider, trouble = writer(workspace, None, settings)
    found = replace(quoted, note=trouble)
    if provider is not None and not quoted.abstained:
        written = Written()
        parts = write(
            provider,
            question,
            evidence.passages,
            written,
            support=quoted.support,
            timeout_s=settings.rag_generate_timeout_s,
        )
        async with aclosing(parts):
            async for _ in parts:
                pass
        found = of_written(written, quoted)
    return _reply(found, evidence)


def _gathered(workspace: Workspace, caller: Caller, question: str, incident: str | None) -> _Evidence:
    with workspace.reading(caller) as uow:
        texts = registry.texts(uow, incident)
        read, note = runbooks.found(uow, question)
        chosen = choosing.passages(question, texts)
        titles = {each.id: (each.title, each.link) for each in texts}
        base = runbooks.link(uow)
    ranked = sorted([*chosen, *read], key=lambda each: -each.score)
    # Rarity is of one search: terms that the other one weighs keep the larger weight, so that neither hides a term.
    weights: dict[str, float] = {}
    for each in ranked:
        for term, weight in each.term_weights.items():
            weights[term] = max(weight, weights.get(term, 0.0))
    return _Evidence([replace(each, term_weights=weights) for each in ranked], titles, base, note)


def _reply(found: Answer, evidence: _Evidence) -> Reply:
    cited = tuple(_cited(each, evidence) for each in found.citations)
    note = "; ".join(each for each in (found.note, evidence.note) if each) or None
    answer = ABSTENTION if found.abstained else found.answer
    return Reply(answer, cited, found.abstained, found.engine, round(found.support, 4), note)


def _cited(found: Citation, evidence: _Evidence) -> Cited:
    """Of a runbook the link leads to the very characters."""
    source = str(found.document_id)
    if source in evidence.titles:
        return Cited(source, *evidence.titles[source], found.quote)
    link = f"{evidence.runbooks}/{quote(source, safe='')}?start={found.start}&end={found.end}#cited"
    return Cited(source, found.filename, link, found.quote)
