"""Search, read and answer for scripts and for the Python nodes of a flow: plain values in, plain JSON values out.

    from opsloop import answer, read_document, search

    passages = search("handbook", "How many days of leave do I have?")
    reply = answer("How many days of leave do I have?", passages)
    whole = read_document("handbook", "leave.md")

`search` and `read_document` work on the workspace of the run they are called from; `answer` needs none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from opsloop.core.caller import Caller, Role
from opsloop.core.context import workspace_of_run
from opsloop.core.errors import InvalidInput
from opsloop.rag import service
from opsloop.rag.answering import quoting
from opsloop.rag.models import Passage
from opsloop.rag.reading import note

READER = Caller("system:flows", Role.VIEWER)
_FIELDS = frozenset(field.name for field in fields(Passage))
_GIVEN = ("answer", "citations", "abstained", "engine", "support")
_NEEDED = frozenset({"document_id", "filename", "chunk", "text", "start", "end"})


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
    with workspace_of_run("search").reading(READER) as uow:
        note(uow, collection)
        return [asdict(found) for found in service.search(uow, collection, question, top_k=top_k, filters=filters)]


def read_document(collection: str, filename: str) -> list[dict[str, Any]]:
    """A whole document as passages in reading order, in the form that `search` gives.

    Raises: NoWorkspace outside a run; CollectionMissing; FilenameMissing naming the nearest known one.
    """
    with workspace_of_run("read_document").reading(READER) as uow:
        note(uow, collection)
        return [asdict(each) for each in service.passages_of(uow, collection, filename)]


def answer(
    question: str,
    passages: Sequence[Mapping[str, Any]],
    *,
    min_support: float = quoting.MIN_SUPPORT,
    max_sentences: int = quoting.MAX_SENTENCES,
) -> dict[str, Any]:
    """The answer that passages support: `answer`, `citations`, `abstained`, `engine`, `support`.

    Args:
        min_support: probability below which the answer is an abstention, 0-1; 0 always answers.
    Raises: InvalidInput when a passage lacks what a citation needs.
    """
    found = [_passage(number, passage) for number, passage in enumerate(passages)]
    reply = asdict(quoting.answer(question, found, min_support=min_support, max_sentences=max_sentences))
    return {**{key: reply[key] for key in _GIVEN}, "citations": list(reply["citations"])}


def _passage(number: int, given: Mapping[str, Any]) -> Passage:
    missing = sorted(_NEEDED - set(given))
    if missing:
        wanted = f"a passage with {', '.join(missing)}"
        raise InvalidInput(field=f"passages[{number}]", value=sorted(given), wanted=wanted)
    rest = {"passage_id": None, "heading": "", "score": 0.0, "similarity": 0.0}
    rest |= {"window_start": given["start"], "window_end": given["end"]}
    return Passage(**{**rest, **{key: value for key, value in given.items() if key in _FIELDS}})
