"""Whether a step passes and fails in turn, from the runs that are kept of it.

A step is flaky when it failed and passed at the same commit: the code was the same. Without that it is flaky when its
last runs changed between failing and passing three times or more: one that broke and was mended changes twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

LOOKED_AT = 20
LEAST_CHANGES = 3
COMMIT_CHARS = 12


@dataclass(frozen=True, slots=True)
class Run:
    """Args: commit: empty when it is not known."""

    has_failed: bool
    commit: str


def because(runs: Sequence[Run]) -> str | None:
    """The figures that show it; None when nothing does. Args: runs: of one step, the last first."""
    at: dict[str, list[bool]] = defaultdict(list)
    for run in runs:
        if run.commit:
            at[run.commit].append(run.has_failed)
    for commit, failed in at.items():
        if any(failed) and not all(failed):
            bad = sum(failed)
            return f"at commit {commit[:COMMIT_CHARS]} it failed {_times(bad)} and passed {_times(len(failed) - bad)}"
    last = runs[:LOOKED_AT]
    changes = sum(a.has_failed != b.has_failed for a, b in pairwise(last))
    if changes >= LEAST_CHANGES:
        return f"its last {len(last)} runs changed between failing and passing {_times(changes)}"
    return None


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
