"""Choose a collection's settings on one half of a dataset's questions and report on the other half.

Retrieval first: of all ways to cut texts and shares of vectors, the one with the best mean on the dev questions; what
is set now stays unless another is better by `LEAST_GAIN`. Then the threshold, with what was chosen. The other half is
asked once, at the end, with the settings of before and with those chosen; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.evaluation.tuning.measuring import Found, quality, retrieval, threshold
from opsloop.evaluation.tuning.models import Question, Settings, Tuned
from opsloop.evaluation.tuning.questions import halves, questions_of
from opsloop.evaluation.tuning.trying import Original, copied, trial
from opsloop.rag import service
from opsloop.rag.answering import thresholds
from opsloop.rag.documents.recutting import recut
from opsloop.rag.text.chunk import CHUNKINGS

KNOWN_BY = ("passage_id", "filename", "document_id")
WEIGHTS = (None, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7)
# About the standard error of a mean over some hundred questions: less is chance.
LEAST_GAIN = 0.01
LEAST_UNANSWERABLE = 5
MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class _Tried:
    chunking: str
    vector_weight: float | None
    value: float


def tune(workspace: Workspace, caller: Caller, collection: str, dataset: str, *, by: str, apply: bool) -> Tuned:
    """Try settings on a copy of a collection; with `apply` set what was chosen, and cut its documents so.

    Args:
        by: what the dataset calls passages by, one of `KNOWN_BY`.
    Raises: InvalidInput, CollectionMissing, DatasetMissing, ExtraNeeded.
    """
    caller.require(Role.DEVELOPER)
    if by not in KNOWN_BY:
        raise InvalidInput(field="by", value=by, wanted=" or ".join(KNOWN_BY))
    with workspace.reading(caller) as uow:
        kept = service.collection(uow, collection)
        now = Settings(kept.chunking, kept.vector_weight, thresholds.min_support(uow, collection))
        version = datasets.get(uow, dataset)
        dev, others = halves(questions_of(datasets.rows(uow, version, limit=MOST_ROWS), version.ref), version.ref)
        documents = copied(uow, collection)
    if not documents:
        raise InvalidInput(field="collection", value=collection, wanted="a collection that holds documents")
    original = Original(workspace.settings, collection, kept.embedder, documents)
    chosen, found = _chosen(original, dev, by, now)
    chosen, notes = _with_threshold(chosen, found)
    after = _asked(original, others, by, chosen)
    before = after if _retrieve_alike(now, chosen) else _asked(original, others, by, now)
    if apply:
        _apply(workspace, caller, collection, chosen)
    return Tuned(
        collection=collection,
        dataset=version.ref,
        now=now,
        chosen=chosen,
        dev=quality(found, chosen.min_support),
        before=quality(before, now.min_support),
        after=quality(after, chosen.min_support),
        applied=apply,
        notes=tuple(notes),
    )


def _chosen(original: Original, dev: Sequence[Question], by: str, now: Settings) -> tuple[Settings, list[Found]]:
    """The settings that retrieve best, and what they retrieve for the dev questions."""
    are_ready = all(each.passages for each in original.documents)  # ready passages are not cut
    chunkings = [now.chunking, *(each for each in CHUNKINGS if each != now.chunking and not are_ready)]
    tried: list[_Tried] = []
    for chunking in chunkings:
        with trial(original, chunking) as copy:
            for weight in dict.fromkeys((now.vector_weight, *WEIGHTS)):
                tried.append(_Tried(chunking, weight, retrieval(copy.ask(dev, weight, by))))
    best = max(tried, key=lambda one: one.value)
    taken = best if best.value >= tried[0].value + LEAST_GAIN else tried[0]
    chosen = replace(now, chunking=taken.chunking, vector_weight=taken.vector_weight)
    return chosen, _asked(original, dev, by, chosen)


def _asked(original: Original, questions: Sequence[Question], by: str, settings: Settings) -> list[Found]:
    with trial(original, settings.chunking) as copy:
        return copy.ask(questions, settings.vector_weight, by, with_support=True)


def _with_threshold(chosen: Settings, found: Sequence[Found]) -> tuple[Settings, list[str]]:
    answerable = [one for one in found if one.question.answerable]
    unanswerable = [one for one in found if one.question.answerable is False]
    if len(unanswerable) < LEAST_UNANSWERABLE or len(answerable) < LEAST_UNANSWERABLE:
        few = (
            f"the threshold stays: choosing one takes at least {LEAST_UNANSWERABLE} dev questions with `answerable` "
            f"true and false (there are {len(answerable)} and {len(unanswerable)})"
        )
        return chosen, [few]
    return replace(chosen, min_support=threshold(answerable, unanswerable)), []


def _retrieve_alike(one: Settings, other: Settings) -> bool:
    return (one.chunking, one.vector_weight) == (other.chunking, other.vector_weight)


def _apply(workspace: Workspace, caller: Caller, collection: str, chosen: Settings) -> None:
    with workspace.writing(caller) as uow:
        recut(uow, collection, chosen.chunking)
        service.weigh(uow, collection, chosen.vector_weight)
        thresholds.abstain_below(uow, collection, chosen.min_support)
