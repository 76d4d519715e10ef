"""How well what was retrieved is what is relevant: recall, precision, hit, nDCG and reciprocal rank.

Retrieved things are texts (ids) or objects with one of `id`, `passage_id`, `document_id`, `filename`, `url`, `source`,
best first; option `key` names another. One that comes twice counts where it comes first, and takes no second place in
the ranks, so that several chunks of a document are one document. Relevant ones are a list of ids, or ids to grades (0:
not relevant). A row without any relevant id has no value.

Sources: as trec_eval counts, see C. Buckley, E. Voorhees, Retrieval system evaluation, in TREC: experiment and
evaluation in information retrieval, MIT Press 2005; K. Järvelin, J. Kekäläinen, Cumulated gain-based evaluation of IR
techniques, ACM TOIS 20 (2002), 422-446, with the gain of grade / log2(rank + 1) (option `gain: exponential` puts
2^grade - 1 in its place, after C. Burges et al., Learning to rank using gradient descent, ICML 2005).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from opsloop.core.errors import shown
from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.options import one_of, text_or_none, whole
from opsloop.evaluation.evaluators.registry import Evaluator, Input, Score, register
from opsloop.evaluation.evaluators.values import given_list

KEYS = ("id", "passage_id", "document_id", "filename", "url", "source")
DEFAULT_K = 10
Ranked = Sequence[str]
Grades = Mapping[str, float]
Measure = Callable[[Ranked, Grades], float]


def recall(ranked: Ranked, grades: Grades) -> float:
    """The share of the relevant that is there."""
    return _hits(ranked, grades) / _relevant(grades)


def precision(ranked: Ranked, grades: Grades, k: int) -> float:
    """The share of k places that hold a relevant one; places that stay empty count as wrong."""
    return _hits(ranked, grades) / k


def hit(ranked: Ranked, grades: Grades) -> float:
    return float(_hits(ranked, grades) > 0)


def reciprocal_rank(ranked: Ranked, grades: Grades) -> float:
    """1 / place of the first relevant one, else 0."""
    return next((1.0 / place for place, each in enumerate(ranked, start=1) if grades.get(each, 0.0) > 0), 0.0)


def ndcg(ranked: Ranked, grades: Grades, k: int, *, exponential: bool = False) -> float:
    """Cumulated gain over that of the best order there is."""

    def cumulated(found: Iterable[float]) -> float:
        gains = (2.0**grade - 1.0 if exponential else grade for grade in found)
        return math.fsum(gain / math.log2(place + 1) for place, gain in enumerate(gains, start=1))

    best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k]
    return cumulated(max(0.0, grades.get(each, 0.0)) for each in ranked) / cumulated(best)


def _hits(ranked: Ranked, grades: Grades) -> int:
    return sum(grades.get(each, 0.0) > 0 for each in ranked)


def _relevant(grades: Grades) -> int:
    return sum(grade > 0 for grade in grades.values())


def _scored(measure: Callable[[Ranked, Grades, int], float], options: Mapping[str, Any], k: int) -> Score:
    key = text_or_none(options, "key")

    def score(values: Mapping[str, Any]) -> float | None:
        grades = _grades(values["relevant"], key)
        ranked = list(dict.fromkeys(_id("retrieved", each, key) for each in given_list(values, "retrieved")))[:k]
        return measure(ranked, grades, k) if _relevant(grades) else None

    return score


def _grades(given: Any, key: str | None) -> Grades:
    if isinstance(given, Mapping):
        return {str(name): _grade(grade) for name, grade in given.items()}
    if not isinstance(given, list):
        given = [given]
    return {
        _id("relevant", each, key): _grade(each.get("grade", 1)) if isinstance(each, Mapping) else 1.0 for each in given
    }


def _grade(value: Any) -> float:
    # A gain of 2^grade must stay a number.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise CannotScore(f"a grade is {shown(value)}; wanted a number from 0 to 100")
    return float(value)


def _id(name: str, value: Any, key: str | None) -> str:
    if isinstance(value, Mapping):
        keys = (key,) if key is not None else KEYS
        found = next((value[each] for each in keys if value.get(each) is not None), None)
    else:
        found = value
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        wanted = f"an id, or an object with {key or 'one of ' + ', '.join(KEYS)}"
        raise CannotScore(f"{name} holds {shown(value)}; wanted {wanted}")
    return str(found)


_RETRIEVED = Input(
    "retrieved",
    ("run.outputs.retrieved", "run.outputs.retrieved_ids", "run.outputs.sources", "run.passages"),
)
_RELEVANT = Input("relevant", ("data.relevant", "data.relevant_ids", "data.qrels", "data.sources"))


def _at_k(name: str, measure: Callable[[Ranked, Grades, int], float], default: int = DEFAULT_K) -> None:
    def make(options: Mapping[str, Any]) -> Score:
        return _scored(measure, options, whole(options, "k", default))

    register(Evaluator(name, (_RETRIEVED, _RELEVANT), make, options=("k", "key")))


def _ndcg(options: Mapping[str, Any]) -> Score:
    exponential = one_of(options, "gain", ("linear", "exponential")) == "exponential"
    k = whole(options, "k", DEFAULT_K)
    return _scored(lambda ranked, grades, k: ndcg(ranked, grades, k, exponential=exponential), options, k)


_at_k("recall_at_k", lambda ranked, grades, _: recall(ranked, grades))
_at_k("precision_at_k", precision)
_at_k("hit_at_k", lambda ranked, grades, _: hit(ranked, grades))
_at_k("mrr", lambda ranked, grades, _: reciprocal_rank(ranked, grades), default=10_000)
register(Evaluator("ndcg_at_k", (_RETRIEVED, _RELEVANT), _ndcg, options=("k", "key", "gain")))
