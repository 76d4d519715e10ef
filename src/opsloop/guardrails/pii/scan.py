"""Find personal data and secrets in a text: pure, without I/O, in time linear in the text."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from opsloop.guardrails.pii.detectors.registry import known
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.pii.words_before import WordsBefore

# Findings that are less sure than this are more often wrong than right.
LIKELY = 0.5
_DIGIT = re.compile("[0-9]")
# What `find` finds beside personal data.
SECRET_KINDS = frozenset({"password", "secret", "url_credentials"})


def find(
    text: str, *, heading: str = "", kinds: Collection[str] | None = None, at_least: float = LIKELY
) -> Sequence[Finding]:
    """What is found, in order and without overlaps: of two in one place the surer one stays, then the longer one.

    Args:
        heading: what is known of the text, such as a column's name: `phone` makes seven digits a number to call.
        kinds: look for these only.
        at_least: the least confidence that counts.
    """
    before = WordsBefore(text, heading)
    has_digits = _DIGIT.search(text) is not None
    found = [
        finding
        for detector in known().values()
        if (kinds is None or detector.kind in kinds)
        and (has_digits or not detector.needs_digits)
        and detector.may_hold(text)
        for finding in detector.find(text, before)
        if finding.confidence >= at_least
    ]
    return _apart(found)


def shape(value: str, *, limit: int = 40) -> str:
    """A value's form without the value: letters as x, digits as 0, the rest as it is."""
    masked = "".join("x" if char.isalpha() else "0" if char.isdigit() else char for char in value[:limit])
    return masked + ("…" if len(value) > limit else "")


def hidden(text: str, *, heading: str = "") -> str:
    """The text with what is found in it given as its kind and shape: `<email xxx@xxxx.xx>`."""
    parts, at = [], 0
    for each in find(text, heading=heading):
        parts += [text[at : each.start], f"<{each.kind} {shape(text[each.start : each.end])}>"]
        at = each.end
    return "".join([*parts, text[at:]])


def _apart(found: list[Finding]) -> list[Finding]:
    """Of findings that overlap, the best; linear after the sort, for findings of one kind never do."""
    kept: list[Finding] = []
    for each in sorted(found, key=lambda finding: (finding.start, -finding.end)):
        rivals = []
        while kept and kept[-1].end > each.start:
            rivals.append(kept.pop())
        if all(_rank(each) > _rank(rival) for rival in rivals):
            kept.append(each)
        else:
            kept.extend(reversed(rivals))
    return kept


def _rank(finding: Finding) -> tuple[float, int]:
    return finding.confidence, finding.end - finding.start
