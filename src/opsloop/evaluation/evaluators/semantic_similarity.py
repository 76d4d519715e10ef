"""How near an answer is to the truth in meaning, as the cosine of their vectors, 0-1 (below 0 counts as 0).

With option `model` the vectors are those of that embedding model on the configured server. Offline they are made from
the truths of the rows themselves: the mean of two cosines, of term weights (TF-IDF) and of the latent directions that
the offline embedder finds in them. Offline texts are near when they share words, or words that go together in this
dataset; a paraphrase in other words is far. Values of different models and datasets cannot be compared.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opsloop.core.errors import ExtraNeeded, Failed
from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.asking import ITSELF, Ask, Asked
from opsloop.evaluation.evaluators.options import text_or_none
from opsloop.evaluation.evaluators.registry import ANSWER, TRUTH, Evaluator, Score, register
from opsloop.evaluation.evaluators.values import text, texts
from opsloop.flows.calls import kept
from opsloop.flows.results import NO_TOKENS, TokenUse
from opsloop.llm import settings as model_settings
from opsloop.llm.port import Embedding
from opsloop.llm.prices import cost_usd
from opsloop.llm.providers import chat_provider
from opsloop.rag.text.words import term_ids, terms

if TYPE_CHECKING:
    from opsloop.llm.embedders.port import Embedder

TEXTS_AT_ONCE = 128
Pair = tuple[str, list[str]]


class NoEmbeddingModel(Failed):
    template = "semantic_similarity: model {model} needs a model server; set OPSLOOP_LLM_BASE_URL, or leave `model` out"


def _ask(options: Mapping[str, Any]) -> Ask:
    model = text_or_none(options, "model")

    async def ask(rows: Sequence[Mapping[str, Any]]) -> list[Asked]:
        pairs = [_pair(row) for row in rows]
        good = [pair for pair in pairs if not isinstance(pair, Asked)]
        found = iter(_offline(good) if model is None else await _asked(good, model))
        return [pair if isinstance(pair, Asked) else next(found) for pair in pairs]

    return ask


def _pair(row: Mapping[str, Any]) -> Pair | Asked:
    try:
        return text(row, "answer"), texts(row, "truth") or [""]
    except CannotScore as error:
        return Asked(error=str(error))


def _offline(pairs: Sequence[Pair]) -> list[Asked]:
    try:
        from opsloop.llm.embedders.lsa import LsaEmbedder  # numpy, an extra
    except ImportError as error:
        raise ExtraNeeded(what="evaluator semantic_similarity", extra="rag") from error
    import numpy as np

    known = list(dict.fromkeys(truth for _, truths in pairs for truth in truths))
    embedder = LsaEmbedder.fit([np.asarray(term_ids(each), dtype=np.uint32) for each in known], term_ids)
    weights = _inverse_frequencies(known)
    return [
        Asked({ITSELF: max(_similarity(answer, truth, weights, embedder) for truth in truths)})
        for answer, truths in pairs
    ]


def _similarity(answer: str, truth: str, weights: Mapping[str, float], embedder: Embedder) -> float:
    by_terms = _cosine(_weighted(answer, weights), _weighted(truth, weights))
    first, second = embedder.embed([answer, truth])
    if not first.any() or not second.any():
        return by_terms  # the directions know nothing of one of them
    return (by_terms + min(1.0, max(0.0, float(first @ second)))) / 2.0


def _inverse_frequencies(documents: Sequence[str]) -> dict[str, float]:
    holding = Counter(term for document in documents for term in set(terms(document)))
    found = {term: math.log((1 + len(documents)) / (1 + count)) + 1 for term, count in holding.items()}
    return {"": math.log(1 + len(documents)) + 1, **found}


def _weighted(value: str, weights: Mapping[str, float]) -> dict[str, float]:
    return {term: count * weights.get(term, weights[""]) for term, count in Counter(terms(value)).items()}


def _cosine(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    if not first or not second:
        return float(first == second)
    shared = math.fsum(weight * second[term] for term, weight in first.items() if term in second)
    return min(1.0, shared / (math.hypot(*first.values()) * math.hypot(*second.values())))


async def _asked(pairs: Sequence[Pair], model: str) -> list[Asked]:
    provider = kept(chat_provider(model_settings.core_here()))
    if provider.engine == "offline":
        raise NoEmbeddingModel(model=model)
    known = list(dict.fromkeys(each for answer, truths in pairs for each in (answer, *truths)))
    parts = [known[at : at + TEXTS_AT_ONCE] for at in range(0, len(known), TEXTS_AT_ONCE)]
    answers = [await provider.embed(part, model=model) for part in parts]
    vectors = dict(zip(known, (vector for each in answers for vector in each.vectors), strict=True))
    used = sum((_used(each) for each in answers), start=NO_TOKENS)
    found = [
        Asked({ITSELF: max(_of_vectors(vectors[answer], vectors[truth]) for truth in truths)}, by=model)
        for answer, truths in pairs
    ]
    # Texts are asked for together: what they used stands with the first row.
    return [Asked(found[0].scores, use=used, by=model), *found[1:]] if found else []


def _of_vectors(first: Sequence[float], second: Sequence[float]) -> float:
    lengths = math.hypot(*first) * math.hypot(*second)
    product = math.fsum(a * b for a, b in zip(first, second, strict=True))
    return min(1.0, max(0.0, product / lengths)) if lengths else 0.0


def _used(embedding: Embedding) -> TokenUse:
    usage = embedding.usage
    if usage is None:
        return TokenUse(calls=1, uncounted_calls=1)
    cost = cost_usd(embedding.model, usage, model_settings.here().llm_prices)
    return TokenUse(usage.prompt_tokens, 0, 1, 0, int(usage.estimated), int(cost is None), cost or 0.0)


def _unused(options: Mapping[str, Any]) -> Score:
    raise AssertionError("its rows are scored together")


register(Evaluator("semantic_similarity", (ANSWER, TRUTH), _unused, options=("model",), make_ask=_ask))
