"""A collection as a flow: what an evaluation puts questions to.

This file is put into a flex flow beside its `flow.flex.yaml`, which says how the class is made.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from opsloop.core.context import workspace_of_run
from opsloop.rag import service
from opsloop.rag.answering.asking import Asked, ask
from opsloop.rag.models import Answer, Passage
from opsloop.rag.runtime import READER


class CollectionTarget:
    """Args:
    depth: how many passages are ranked.
    by: what a passage is known by: `passage_id`, `document_id`, `filename`.
    generate: whether a model writes the answers.
    """

    def __init__(self, collection: str, depth: int, by: str, generate: bool) -> None:
        self.collection = collection
        self.depth = depth
        self.by = by
        self.generate = generate

    async def __call__(self, question: str) -> dict:  # type: ignore[type-arg]  # as a flow types it
        """The answer, what was retrieved for it, and of each citation whether it is what is stored."""
        workspace = workspace_of_run("a collection's evaluation")
        answer = await ask(workspace, READER, Asked(question, self.collection, generate=self.generate))
        with workspace.reading(READER) as uow:
            passages = service.search(uow, self.collection, question, top_k=self.depth)
            texts = {
                each.document_id: service.document_text(uow, self.collection, each.document_id)
                for each in answer.citations
            }
        return {
            **asdict(answer),
            "citations": [asdict(each) for each in answer.citations],
            "citations_exact": are_exact(answer, texts),
            "passages": [each.text for each in passages[: service.DEFAULT_TOP_K]],
            "retrieved": list(dict.fromkeys(self._id(each) for each in passages)),
        }

    def _id(self, passage: Passage) -> str:
        found: Any = getattr(passage, self.by)
        return str(found if found is not None else passage.document_id)


def are_exact(answer: Answer, texts: dict[Any, str]) -> list[bool]:
    return [texts[each.document_id][each.start : each.end] == each.quote for each in answer.citations]
