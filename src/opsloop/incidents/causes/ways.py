"""Which end of a slow way an incident comes from: a call takes long, and its callee does not work longer on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Way = tuple[str, str]
"""The caller and the callee."""


def blamed(slow: Mapping[Way, float], quiet: Iterable[Way]) -> dict[Way, str]:
    """The end of each slow way that explains it: the one with most slow ways, less those of its ways that are quiet.

    One cause for several ways is likelier than a cause for each. Both ends of a way that stands alone explain it alike:
    then it is the callee, whose other side answers as ever.

    Args: slow: how far the time on a way left what is usual, above 0; quiet: ways that are as they were.
    """
    found: dict[Way, str] = {}
    left, calm = dict(slow), list(quiet)
    while left:
        callees = {callee for _, callee in left}
        ends = callees | {caller for caller, _ in left}

        def gain(end: str, left: Mapping[Way, float] = left) -> tuple[int, bool, float, str]:
            mine = [far for way, far in left.items() if end in way]
            return len(mine) - sum(end in way for way in calm), end in callees, sum(mine), end  # noqa: B023

        most = max(ends, key=gain)
        found |= {way: most for way in left if most in way}
        left = {way: far for way, far in left.items() if most not in way}
    return found
