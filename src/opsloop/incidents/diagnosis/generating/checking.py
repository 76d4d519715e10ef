"""What of a model's answer is proved by lines of the log; the rest is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from opsloop.incidents.diagnosis.generating.prompt import Shown, categories
from opsloop.incidents.diagnosis.generating.reading import Cited, Written
from opsloop.incidents.diagnosis.redaction import without_secrets
from opsloop.rag.answering.generating.proving import share
from opsloop.rag.text.addressed import is_to_a_model
from opsloop.rag.text.figures import are_held
from opsloop.rag.text.inert import URL, inert

SENTENCES, SENTENCE_CHARS = 3, 400
STEPS, STEP_CHARS = 8, 300
# A quote shorter than this, which stands in too many lines, is the whole line or proves nothing.
QUOTE_CHARS = 8
# Of the content words of a sentence, those that its lines hold: it speaks of them in words of its own.
LEAST_SHARE = 0.2

# Rules saw something fail: a sentence that says otherwise is none about this log.
_ALL_IS_WELL = re.compile(
    r"\b(?:all|everything|job|run|build|pipeline)\b.{0,30}\b(?:is|are|was|were) (?:well|fine|ok|okay|green|healthy)\b"
    r"|\b(?:no|not an?) (?:real |actual )?(?:failures?|errors?|problems?|issues?)\b|\bnothing (?:failed|is wrong)\b"
    r"|\b(?:succeeded|passed) (?:fine|without)|\bsafe to ignore\b|\bfalse alarm\b",
    re.IGNORECASE,
)
# What no step may ask a person to type, whoever wrote it into the log.
_HARMFUL = re.compile(
    r"(?:curl|wget|fetch|iwr|irm|invoke-webrequest)\b.*\|"
    r"|\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b|\b(?:eval|exec)\b\s*[\"'$(`]|base64\s+(?:-d|--decode)|\$\(|`[^`]*\$\("
    r"|\brm\s+-\w*[rf]|\bmkfs\b|\bdd\s+if=|:\(\)\s*\{|/dev/tcp/|\bnc\s+-\w*e|\bchmod\s+(?:-R\s+)?[0-7]*777"
    r"|--no-verify|--insecure\b|sslverify\s*=?\s*false|\bset\s+\+e\b|\|\|\s*true\b"
    r"|\b(?:disable|turn off|skip)\b.{0,40}\b(?:check|test|guard|verification|protection|scanner)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Proved:
    """Args:
    root_cause: sentences, each with a line that proves it; never empty.
    lines: numbers of those lines, in the order of the sentences.
    dropped: how many sentences and steps were left out.
    """

    root_cause: str
    lines: tuple[int, ...]
    category: str | None
    confidence: float
    fix: tuple[str, ...]
    dropped: int


def proved(written: Written, shown: Shown) -> Proved | None:
    """What holds of an answer; None when not one sentence of its root cause does."""
    kept: dict[str, list[int]] = {}
    dropped = 0
    for claim in written.root_cause:
        sentence = _plain(claim.sentence)
        lines = [each.line for each in claim.evidence if _is_quoted(each, shown)]
        if lines and len(kept) < SENTENCES and _holds(sentence, [shown.lines[n] for n in lines], shown):
            kept.setdefault(sentence, lines)
        else:
            dropped += 1
    if not kept:
        return None
    steps = [step for each in written.fix if _is_fit(step := _plain(each), shown)]
    steps = list(dict.fromkeys(steps))[:STEPS]
    return Proved(
        root_cause=" ".join(kept),
        lines=tuple(dict.fromkeys(number for lines in kept.values() for number in lines)),
        category=written.category if written.category in categories() else None,
        confidence=min(1.0, max(0.0, written.confidence)),
        fix=tuple(steps),
        dropped=dropped + len(written.fix) - len(steps),
    )


def _is_quoted(cited: Cited, shown: Shown) -> bool:
    line = shown.lines.get(cited.line)
    quote = cited.quote.strip()
    if line is None or not quote:
        return False
    return quote == line.strip() or (len(quote) >= QUOTE_CHARS and quote in line)


def _holds(sentence: str, lines: Sequence[str], shown: Shown) -> bool:
    if not sentence or len(sentence) > SENTENCE_CHARS or is_to_a_model(sentence):
        return False
    if _ALL_IS_WELL.search(sentence) or _HARMFUL.search(sentence):
        return False
    said = " ".join(lines)
    return share(sentence, said) >= LEAST_SHARE and are_held(sentence, list(lines)) and _links_are_known(sentence, said)


def _is_fit(step: str, shown: Shown) -> bool:
    if not step or len(step) > STEP_CHARS or is_to_a_model(step):
        return False
    return is_harmless(step, shown)


def is_harmless(text: str, shown: Shown) -> bool:
    """Whether it fetches and runs nothing, deletes nothing, turns no check off, and names no address of its own."""
    everything = "\n".join([*shown.lines.values(), shown.workflow or ""])
    return not _HARMFUL.search(text) and _links_are_known(text, everything)


def _links_are_known(text: str, source: str) -> bool:
    return all(url in source for url in URL.findall(text))


def _plain(text: str) -> str:
    """On one line, without markup, links, control characters and secrets."""
    return without_secrets(" ".join(inert(text).split()))
