"""Which incident a signal belongs to: whether it rather comes from one that goes on than from a new one.

    odds = rate x likelihood / new incidents

rate = exp(-silence/T - age/A) / T a second is how fast an incident brings signals after so long a silence and so long
since its first signal. The likelihood says how much more often signals of one incident than of two share subjects and
words so far: exp(1.0 (nearness - 0.35) + 0.3 (shared words - 0.3)), halved for subjects that are known not to know each
other. New incidents a second are those that began of late, and one more. So a quiet platform takes a signal into the
incident that goes on for a minute or two, and where one opens every few minutes it must be close in time or share much.
From odds of 1 on a signal joins the incident with the largest. This is Bayes' rule with a prior that is learned as
incidents open. T, A and the weights were chosen on the dev scenarios of benchmarks/correlation.py.

Each signal is compared with what the incidents have in sum: its cost does not grow with the signals that came before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

JOINS = 1.0
"""Least odds that join an incident."""
TOPOLOGY, TEXT, STRANGERS = 1.0, 0.3, 0.5
USUAL_NEARNESS, USUAL_SHARE = 0.35, 0.3
"""What signals of two incidents have of nearness and of shared words, about as much as those of one."""
TAU_PART, AGE_PART, LATE_PART = 1 / 60, 1 / 10, 1 / 4
"""T and A as parts of the window, and the part of it in which new incidents are counted."""
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


def odds(
    names: Sequence[str],
    words: frozenset[str],
    at_s: float,
    to: Profile,
    *,
    opened: int,
    topology: Topology,
    window_s: float,
) -> float:
    """How much rather a signal comes from an incident than from a new one, above 0.

    Args:
        at_s: when it began, on the clock of the profile.
        opened: incidents that began in the last quarter of the window.
        window_s: longest silence between two signals of one incident; beyond it the answer is 0.
    """
    silence_s = max(to.first_s - at_s, at_s - to.last_s, 0.0)
    if silence_s > window_s:
        return 0.0
    tau_s, age_s = window_s * TAU_PART, max(at_s - to.first_s, 0.0)
    rate = math.exp(-silence_s / tau_s - age_s / (window_s * AGE_PART)) / tau_s
    shared = len(words & to.words.keys()) / len(words) if words else 0.0
    near = topology.nearness(names, to.subjects)
    likelihood = math.exp(TOPOLOGY * (near - USUAL_NEARNESS) + TEXT * (shared - USUAL_SHARE))
    likelihood *= 1.0 if near else STRANGERS
    return rate * likelihood * window_s * LATE_PART / (1 + opened)


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
    profiles = list(among)
    opened = sum(0 <= at_s - each.first_s <= window_s * LATE_PART for each in profiles)
    found: Profile | None = None
    most = JOINS
    for each in profiles:
        value = odds(names, words, at_s, each, opened=opened, topology=topology, window_s=window_s)
        if value >= most and (found is None or value > most):
            found, most = each, value
    return found
