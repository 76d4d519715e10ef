"""Search and answer for scripts and for the Python nodes of a flow: plain values in, plain JSON values out.

    from opsloop import answer, search

    passages = search("handbook", "How many days of leave do I have?")
    reply = answer("How many days of leave do I have?", passages)

`search` works on the workspace of the run it is called from; `answer` needs none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from opsloop.core.caller import Caller, Role
from opsloop.core.context import current_workspace
from opsloop.core.errors import Conflict, InvalidInput
from opsloop.rag import answer as answering
from opsloop.rag import service
from opsloop.rag.models import Passage

READER = Caller("system:flows", Role.VIEWER)
_FIELDS = frozenset(field.name for field in fields(Passage))
_NEEDED = frozenset({"document_id", "filename", "chunk", "text", "start", "end"})


class NoWorkspace(Conflict):
    template = (
        "search() was called outside a run, so there is no workspace to search; call it from a flow that Opsloop runs, "
        "or use opsloop.Client"
    )


def search(
    collection: str,
    question: str,
    *,
    top_k: int = service.DEFAULT_TOP_K,
    filters: Mapping[str, str | Sequence[str]] | None = None,
) -> list[dict[str, Any]]:
    """The passages of a collection that match a question best, as dictionaries; `answer` takes them as they are.

    Raises: NoWorkspace outside a run; InvalidInput; CollectionMissing.
    """
    workspace = current_workspace.get(None)
    if workspace is None:
        raise NoWorkspace
    with workspace.reading(READER) as uow:
        return [asdict(found) for found in service.search(uow, collection, question, top_k=top_k, filters=filters)]


def answer(
    question: str,
    passages: Sequence[Mapping[str, Any]],
    *,
    min_support: float = answering.MIN_SUPPORT,
    max_sentences: int = answering.MAX_SENTENCES,
) -> dict[str, Any]:
    """The answer that passages support: `answer`, `citations`, `abstained`, `engine`, `support`.

    Args:
        min_support: probability below which the answer is an abstention, 0-1; 0 always answers.
    Raises: InvalidInput when a passage lacks what a citation needs.
    """
    found = [_passage(number, passage) for number, passage in enumerate(passages)]
    reply = asdict(answering.answer(question, found, min_support=min_support, max_sentences=max_sentences))
    return {**reply, "citations": list(reply["citations"])}


def _passage(number: int, given: Mapping[str, Any]) -> Passage:
    missing = sorted(_NEEDED - set(given))
    if missing:
        wanted = f"a passage with {', '.join(missing)}"
        raise InvalidInput(field=f"passages[{number}]", value=sorted(given), wanted=wanted)
    rest = {"passage_id": None, "heading": "", "score": 0.0, "similarity": 0.0}
    rest |= {"window_start": given["start"], "window_end": given["end"]}
    return Passage(**{**rest, **{key: value for key, value in given.items() if key in _FIELDS}})
