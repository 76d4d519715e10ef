"""A summary made of the document's own sentences, so that each can be cited.

A sentence is worth the mean weight of its words; a word weighs by the number of the document's sentences that hold it,
more when its heading holds it too. The first sentence of a section counts for more, because it tends to say what the
section is about. Sentences are taken in the order of their worth, so that no section speaks twice before each has
spoken once.
"""

import math
import re
from collections import Counter

from promptflow.core import tool

SENTENCE = re.compile(r"(?:[^.!?\n]|[.](?=\S)|\n(?=[^\n#|\-*]))+[.!?](?=\s|$)")
WORD = re.compile(r"[^\W\d_]{3,}")
LEAST_WORDS, MOST_WORDS = 7, 45
IN_HEADING = 2.0
FIRST = 1.5
COMMON = frozenset(
    "the and are for with you your that this when not has have from will may must can only each any all which been its "
    "was were but they them their than then into out who what one two how our let after before use".split()
)


@tool
def summary(passages: list, most_sentences: int) -> dict:
    """`answer` and its `citations`; the sentences stand in the order of the document."""
    found = [each for passage in passages for each in sentences_of(passage)]
    held = Counter(word for each in found for word in each["words"])
    chosen = spread(sorted(found, key=lambda each: -worth(each, held)), most_sentences)
    chosen.sort(key=lambda each: each["citation"]["start"])
    return {
        "answer": " ".join(one_line(each["citation"]["quote"]) for each in chosen),
        "citations": [each["citation"] for each in chosen],
        "abstained": not chosen,
    }


def sentences_of(passage: dict):
    """The sentences of a passage that stand by themselves; headings, tables and lists are left out."""
    heading, is_first = "", not passage["chunk"]
    for block in re.finditer(r"[^\n]+(?:\n[^\n]+)*", passage["text"]):
        text = block[0]
        if text.startswith("#") or (len(text.split()) < LEAST_WORDS and not text.endswith((".", "!", "?", ":"))):
            heading, is_first = text.partition("\n")[0].strip("# "), True
            continue
        if text.lstrip().startswith(("|", "-", "*")):
            continue
        for match in SENTENCE.finditer(text):
            quote = match[0].strip()
            if LEAST_WORDS <= len(quote.split()) <= MOST_WORDS:
                start = passage["start"] + block.start() + match.start() + len(match[0]) - len(match[0].lstrip())
                yield {
                    "words": words(quote),
                    "section": heading or passage["heading"],
                    "is_first": is_first,
                    "citation": {
                        "document_id": passage["document_id"],
                        "filename": passage["filename"],
                        "chunk": passage["chunk"],
                        "quote": quote,
                        "start": start,
                        "end": start + len(quote),
                        "score": 1.0,
                    },
                }
                is_first = False


def worth(sentence: dict, held: Counter) -> float:
    named = words(sentence["section"])
    weights = [math.log1p(held[word]) * (IN_HEADING if word in named else 1.0) for word in sentence["words"]]
    mean = sum(weights) / (len(weights) + 3) if weights else 0.0
    return mean * (FIRST if sentence["is_first"] else 1.0)


def spread(ranked: list, most: int) -> list:
    """The best sentence of each section, the best sections first; then the second best of each, and so on."""
    rounds: dict = {}
    turns: list = []
    for each in ranked:
        turn = rounds[each["section"]] = rounds.get(each["section"], -1) + 1
        turns.append((turn, len(turns), each))
    return [each for _, _, each in sorted(turns, key=lambda one: one[:2])[:most]]


def words(text: str) -> set:
    return {word for word in WORD.findall(text.lower()) if word not in COMMON}


def one_line(text: str) -> str:
    return " ".join(text.split())
