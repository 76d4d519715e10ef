"""What the findings of all checks say together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from opsloop.remediation.models import Finding

WORDS = ("better", "worse", "few", "unclear")
Verdict = Literal["worse", "helped", "wait", "not helped"]


def verdict(findings: Sequence[Finding], *, is_late: bool) -> tuple[Verdict, str]:
    """Whether a repair helped, and why, as a sentence.

    One check that finds it worse is enough. It helped when every check that can tell says so and at least one says that
    it is better. Checks that cannot tell yet are waited for; too few requests are enough once the time is over.

    Args:
        is_late: that time is over.
    """
    said = {name: [each.sentence for each in findings if each.verdict == name] for name in WORDS}
    if said["worse"]:
        return "worse", said["worse"][0]
    if said["better"] and not said["unclear"] and (is_late or not said["few"]):
        return "helped", "; ".join(each.sentence for each in findings)
    if not is_late:
        return "wait", ""
    return "not helped", "; ".join(said["unclear"]) or "nothing shows that it is better"
