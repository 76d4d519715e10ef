"""The offline engine: answers by quoting, with rules, from the text it is given. It is no model and does not pretend.

Rules, in this order:
1. The question is what follows the last `Question:` of the last user message, else that message's last paragraph.
2. The text to quote from is everything else the system and the user said, without lines that are instructions' labels.
3. A sentence is worth the summed weight of the question's words in it, over the square root of its length; the weight
   of a word is its inverse sentence frequency (K. Sparck Jones, A statistical interpretation of term specificity,
   Journal of Documentation 28 (1972), 11-21).
4. The best one or two sentences are quoted in their order. When the best holds less than a third of the question's
   weight, the engine says that the text does not answer.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

from opsloop.llm.port import Completion, Embedding, Message, Usage

MODEL = "opsloop-offline-extractive"
EMBEDDING_MODEL = "opsloop-offline-hashed-words"
DIMENSIONS = 256
NOTHING_FITS = "The given text does not answer this."
LEAST_COVERAGE = 1 / 3
TEXT_LIMIT_CHARS = 400_000

_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_QUESTION = re.compile(r"(?im)^[ \t#*]*question[ \t*]*:[ \t*]*")
_LABEL = re.compile(r"(?i)^[#*\s]*(context|sources?|documents?|passages?|text|answer|question|history)\s*:?[*\s]*$")
_STOP = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "could", "do", "does", "for", "from", "had", "has",
    "have", "how", "i", "if", "in", "is", "it", "its", "me", "my", "of", "on", "or", "our", "shall", "should", "so",
    "that", "the", "their", "them", "there", "they", "this", "to", "us", "was", "we", "were", "what", "when",
    "where", "which", "who", "why", "will", "with", "would", "you", "your",
})  # fmt: skip


class OfflineEngine:
    """A chat provider that needs no network and no key; see the module for its rules."""

    engine = "offline"
    model = MODEL

    async def chat(self, messages: Sequence[Message], **parameters: Any) -> Completion:
        text = answer(messages)
        if _wants_json(parameters):
            text = json.dumps({"answer": text}, ensure_ascii=False)
        said = sum(len(_WORD.findall(_text(message))) for message in messages)
        usage = Usage(said, len(_WORD.findall(text)), estimated=True)
        return Completion(text, MODEL, usage, "stop", {"role": "assistant", "content": text})

    async def stream(self, messages: Sequence[Message], **parameters: Any) -> AsyncIterator[str | Completion]:
        completion = await self.chat(messages, **parameters)
        for piece in re.findall(r"\S+\s*", completion.text):
            yield piece
        yield completion

    async def complete(self, prompt: str, **parameters: Any) -> Completion:
        return await self.chat([{"role": "user", "content": prompt}], **parameters)

    async def embed(self, texts: Sequence[str], **parameters: Any) -> Embedding:
        counted = sum(len(_WORD.findall(text)) for text in texts)
        return Embedding([_hashed(text) for text in texts], EMBEDDING_MODEL, Usage(counted, 0, estimated=True))


def _hashed(text: str) -> list[float]:
    """A text's words as a vector of length 1: each counts up or down at a place that its hash names.

    Source: K. Weinberger et al., Feature hashing for large scale multitask learning, ICML 2009.
    """
    vector = [0.0] * DIMENSIONS
    for word in _words(text):
        number = zlib.crc32(word.encode("utf-8", "replace"))
        vector[number % DIMENSIONS] += 1.0 if number & 0x8000_0000 else -1.0
    length = math.hypot(*vector) or 1.0
    return [each / length for each in vector]


def answer(messages: Sequence[Message]) -> str:
    """The sentences of the conversation that best support an answer to its question."""
    question, context = _parted(messages)
    wanted = set(_words(question))
    sentences = [part.strip() for part in _SENTENCE_END.split(context) if not _LABEL.match(part)]
    sentences = list(dict.fromkeys(sentence for sentence in sentences if len(sentence.split()) > 2))
    weights = _weights(wanted, sentences)
    scored = [(_score(weights, sentence), index) for index, sentence in enumerate(sentences)]
    best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: (-pair[0], pair[1]))[:2]
    if not best or _coverage(weights, sentences[best[0][1]]) < LEAST_COVERAGE:
        return NOTHING_FITS
    kept = [index for score, index in best if score >= best[0][0] * 0.75]
    return " ".join(sentences[index] for index in sorted(kept))


def _parted(messages: Sequence[Message]) -> tuple[str, str]:
    """The question, and the text to quote from."""
    spoken = [_text(message) for message in messages if message.get("role") in ("system", "developer", "user")]
    users = [_text(message) for message in messages if message.get("role") == "user"]
    last = (users or spoken or [""])[-1]
    marks = list(_QUESTION.finditer(last))
    if marks:
        question, _, rest = last[marks[-1].end() :].partition("\n\n")
        before = last[: marks[-1].start()] + "\n" + rest
    else:
        before, _, question = last.rstrip().rpartition("\n\n")
    others = [text for text in spoken if text is not last]
    return question, "\n".join([*others, before])[:TEXT_LIMIT_CHARS]


def _text(message: Message) -> str:
    content = message.get("content")
    if isinstance(content, list):  # parts, of which only those with text say something
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def _words(text: str) -> list[str]:
    return [_stem(word) for word in _WORD.findall(text.lower()) if word not in _STOP]


def _stem(word: str) -> str:
    """A word without the commonest English endings, so that `plans` finds `plan`."""
    for ending in ("ies", "ing", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _weights(wanted: set[str], sentences: Sequence[str]) -> dict[str, float]:
    counts: Counter[str] = Counter()
    for sentence in sentences:
        counts.update(wanted.intersection(_words(sentence)))
    return {word: math.log((1 + len(sentences)) / (1 + counts[word])) + 1 for word in wanted}


def _score(weights: dict[str, float], sentence: str) -> float:
    words = _words(sentence)
    held = sum(weights[word] for word in set(words) & weights.keys())
    return held / math.sqrt(len(words)) if words else 0.0


def _coverage(weights: dict[str, float], sentence: str) -> float:
    total = sum(weights.values())
    return sum(weights[word] for word in set(_words(sentence)) & weights.keys()) / total if total else 0.0


def _wants_json(parameters: dict[str, Any]) -> bool:
    form = parameters.get("response_format")
    return isinstance(form, dict) and form.get("type") == "json_object"
