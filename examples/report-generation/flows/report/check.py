"""What the model wrote, without the sentences whose figures are not in the data."""

import re
from decimal import ROUND_HALF_UP, Decimal

from promptflow.core import tool

SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
FIGURE = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?")


@tool
def check(summary: str, attention: str, facts: dict) -> dict:
    """`summary` and `attention` as they may be printed, both as `narrative`, and the sentences that were `left_out`.

    Where nothing is left of a part, the computed sentences stand in for it.
    """
    known = [*figures_in(facts["overall"]), *figures_in(facts["regions"]), *figures_in(facts["figures"])]
    left_out: list = []
    said = kept(summary, known, left_out) or " ".join(facts["overall"])
    places = kept(attention, known, left_out) or " ".join(facts["regions"])
    return {"summary": said, "attention": places, "narrative": f"{said} {places}", "left_out": left_out}


def kept(text: str, known: list, left_out: list) -> str:
    """The sentences whose every figure is known; a sentence without a figure says nothing that could be checked."""
    good = []
    for sentence in SENTENCE.split(text or ""):
        sentence = sentence.strip().lstrip("-*•# ").strip()
        found = list(figures_in(sentence))
        if found and all(is_known(each, known) for each in found):
            good.append(sentence)
        elif sentence:
            left_out.append(sentence)
    return " ".join(good)


def figures_in(value):
    """The numbers of a text, or of everything in a list or an object."""
    if isinstance(value, dict):
        for each in value.values():
            yield from figures_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from figures_in(each)
    elif value is not None and not isinstance(value, bool):
        yield from (Decimal(each.replace(",", "")) for each in FIGURE.findall(str(value)))


def is_known(figure: Decimal, known: list) -> bool:
    """Whether it is one of them, or one of them rounded as it is."""
    step = Decimal(1).scaleb(figure.as_tuple().exponent)
    return any(figure == each.quantize(step, rounding=ROUND_HALF_UP) for each in known)
