"""Choose a collection's settings on one half of a dataset's questions and report on the other half.

Retrieval first: of all ways to cut texts and shares of vectors, the one with the best mean on the dev questions; what
is set now stays unless another is better by `LEAST_GAIN`. Then the threshold, with what was chosen. The other half is
asked once, at the end, with the settings of before and with those chosen; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from opsloop.core.caller import Caller
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.datasets import service as datasets
from opsloop.evaluation.tuning.measuring import Found, quality, retrieval, threshold
from opsloop.evaluation.tuning.models import Question, Settings, Tuned
from opsloop.evaluation.tuning.questions import halves, questions_of
from opsloop.evaluation.tuning.service import MOST_ROWS
from opsloop.evaluation.tuning.trying import Original, copied, trial
from opsloop.rag import service
from opsloop.rag.answering import thresholds
from opsloop.rag.documents.recutting import recut
from opsloop.rag.text.chunk import CHUNKINGS

WEIGHTS = (None, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7)
# About the standard error of a mean over some hundred questions: less is chance.
LEAST_GAIN = 0.01
LEAST_UNANSWERABLE = 5
# The threshold, the other half with what was chosen, and with what is set now.
_LAST_STEPS = 3
Tell = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class _Tried:
    chunking: str
    vector_weight: float | None
    value: float


class _Steps:
    """Counts trials and tells of each."""

    def __init__(self, total: int, tell: Tell) -> None:
        self._done = 0
        self._total = total
        self._tell = tell

    def __call__(self, message: str) -> None:
        """What begins now; those before it are done."""
        self._tell(self._done, self._total, message)
        self._done += 1


def choose(
    workspace: Workspace, caller: Caller, collection: str, dataset: str, *, by: str, tell: Tell = lambda *_: None
) -> Tuned:
    """Try settings on a copy of a collection; nothing of the collection is changed.

    Args:
        by: what the dataset calls passages by.
        tell: hears before each trial how many are done, of how many, and what is tried.
    Raises: InvalidInput, CollectionMissing, DatasetMissing, ExtraNeeded.
    """
    with workspace.reading(caller) as uow:
        kept = service.collection(uow, collection)
        now = Settings(kept.chunking, kept.vector_weight, thresholds.min_support(uow, collection))
        version = datasets.get(uow, dataset)
        dev, others = halves(questions_of(datasets.rows(uow, version, limit=MOST_ROWS), version.ref), version.ref)
        documents = copied(uow, collection)
    if not documents:
        raise InvalidInput(field="collection", value=collection, wanted="a collection that holds documents")
    original = Original(workspace.settings, collection, kept.embedder, documents)
    chunkings, weights = _chunkings(original, now), _weights(now)
    step = _Steps(len(chunkings) * len(weights) + _LAST_STEPS, tell)
    chosen = _chosen(original, dev, by, now, chunkings, step)
    step("the threshold")
    found = _asked(original, dev, by, chosen)
    chosen, notes = _with_threshold(chosen, found)
    step("the other questions, with what was chosen")
    after = _asked(original, others, by, chosen)
    step("the other questions, with what is set now")
    before = after if _retrieve_alike(now, chosen) else _asked(original, others, by, now)
    return Tuned(
        collection=collection,
        dataset=version.ref,
        now=now,
        chosen=chosen,
        dev=quality(found, chosen.min_support),
        before=quality(before, now.min_support),
        after=quality(after, chosen.min_support),
        applied=False,
        notes=tuple(notes),
    )


def apply(uow: UnitOfWork, tuned: Tuned) -> Tuned:
    """Set what was chosen, and cut the documents so. Raises: CollectionMissing."""
    recut(uow, tuned.collection, tuned.chosen.chunking)
    service.weigh(uow, tuned.collection, tuned.chosen.vector_weight)
    thresholds.abstain_below(uow, tuned.collection, tuned.chosen.min_support)
    return replace(tuned, applied=True)


def _chunkings(original: Original, now: Settings) -> list[str]:
    are_ready = all(each.passages for each in original.documents)  # ready passages are not cut
    return [now.chunking, *(each for each in CHUNKINGS if each != now.chunking and not are_ready)]


def _weights(now: Settings) -> list[float | None]:
    return list(dict.fromkeys((now.vector_weight, *WEIGHTS)))


def _chosen(
    original: Original, dev: Sequence[Question], by: str, now: Settings, chunkings: Sequence[str], step: _Steps
) -> Settings:
    """The settings that retrieve best for the dev questions."""
    tried: list[_Tried] = []
    for chunking in chunkings:
        with trial(original, chunking) as copy:
            for weight in _weights(now):
                step(f"{chunking}, share of vectors {'by itself' if weight is None else weight}")
                tried.append(_Tried(chunking, weight, retrieval(copy.ask(dev, weight, by))))
    best = max(tried, key=lambda one: one.value)
    taken = best if best.value >= tried[0].value + LEAST_GAIN else tried[0]
    return replace(now, chunking=taken.chunking, vector_weight=taken.vector_weight)


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
