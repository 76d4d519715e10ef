"""How much a signal speaks for belonging to an incident.

Time closeness scales what topology and text say: two signals an hour apart on one service need not be one incident, and
two in the same minute on services that do not know each other are not one by that alone. Each signal is compared with
what the incidents have in sum, so its cost does not grow with the signals that came before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

JOINS = 0.31
"""Least score that joins an incident."""
BASE, TOPOLOGY, TEXT = 0.30, 0.40, 0.30
"""Weights of time alone, shared or neighbouring subjects, and shared words; chosen on the dev scenarios of
benchmarks/correlation.py."""
TAU_PART, AGE_PART = 1 / 20, 1 / 12
"""Parts of the window in which closeness falls to 1/e: of the silence, and of the time since the first signal."""
SAME, NEIGHBOUR, SECOND, UNKNOWN = 1.0, 0.7, 0.35, 0.3
MOST_WORDS = 64
_WORD = re.compile(r"[A-Za-z][A-Za-z-]{2,}")
_INNER = re.compile(r"(?<=[a-z])(?=[A-Z])")
_COMMON = frozenset(
    {
        *("the", "and", "for", "with", "has", "was", "are", "from", "that", "this", "its", "not", "than", "been"),
        *("alert", "firing", "resolved", "more"),
    }
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What an incident has in sum. Times are seconds of one clock."""

    key: str
    subjects: frozenset[str]
    words: Mapping[str, int]
    first_s: float
    last_s: float


class Topology:
    """Which subjects are neighbours: one calls the other, as declared or as traces show. Direction does not count."""

    def __init__(self, edges: Mapping[str, Iterable[str]]) -> None:
        self._near: dict[str, set[str]] = {}
        for one, others in edges.items():
            for other in others:
                self._near.setdefault(one, set()).add(other)
                self._near.setdefault(other, set()).add(one)

    def nearness(self, ours: Iterable[str], theirs: frozenset[str]) -> float:
        """1 for a shared subject, less for one or two steps, 0 for none; `UNKNOWN` when a side names no subject."""
        names = frozenset(ours)
        if not names or not theirs:
            return UNKNOWN
        if names & theirs:
            return SAME
        first = {near for name in names for near in self._near.get(name, ())}
        if first & theirs:
            return NEIGHBOUR
        second = {near for name in first for near in self._near.get(name, ())}
        return SECOND if second & theirs else 0.0


def words_of(text: str) -> frozenset[str]:
    """Words that say what it is about, in lower case, without numbers and ids; at most 64."""
    found = (word.lower() for word in _WORD.findall(_INNER.sub(" ", text[:2_000])))
    return frozenset(list(dict.fromkeys(word for word in found if word not in _COMMON))[:MOST_WORDS])


def score(
    names: Sequence[str], words: frozenset[str], at_s: float, to: Profile, *, topology: Topology, window_s: float
) -> float:
    """How much a signal speaks for belonging to an incident, 0 to 1.

    Args:
        at_s: when it began, on the clock of the profile.
        window_s: longest silence between two signals of one incident; beyond it the answer is 0.
    """
    gap_s = max(to.first_s - at_s, at_s - to.last_s, 0.0)
    if gap_s > window_s:
        return 0.0
    age_s = max(at_s - to.first_s, 0.0)
    closeness = math.exp(-gap_s / (window_s * TAU_PART) - age_s / (window_s * AGE_PART))
    shared = len(words & to.words.keys()) / len(words) if words else 0.0
    return closeness * (BASE + TOPOLOGY * topology.nearness(names, to.subjects) + TEXT * shared)


def best(
    names: Sequence[str],
    words: frozenset[str],
    at_s: float,
    among: Iterable[Profile],
    *,
    topology: Topology,
    window_s: float,
) -> Profile | None:
    """The incident that a signal belongs to; None when it belongs to none."""
    found: Profile | None = None
    least = JOINS
    for each in among:
        value = score(names, words, at_s, each, topology=topology, window_s=window_s)
        if value >= least and (found is None or value > least):
            found, least = each, value
    return found
