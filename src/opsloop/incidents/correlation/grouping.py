"""Which incident a signal belongs to: whether it rather comes from one that goes on than from a new one.

    odds = rate x likelihood / new incidents

An incident brings a number of signals that nobody knows, each after a delay from its start: a cluster process (J.
Neyman, E. L. Scott, Statistical Approach to Problems of Cosmology, JRSS B 20 (1958), 1-43) with exponential delays of
mean T. From n signals in an age A the number is learned (Gamma prior), so that

    rate = (n + 1) / (1 - exp(-A/T) + 0.2) x exp(-A/T) / T + 0.05 exp(-silence/T) / T

a second; the last part is what follows from the last signal and keeps one together that goes on for hours. New
incidents a second are (those that began since the first one known + 2) / (time since then + 200 s), with half a window
as the longest time: right after the first nothing says that it stays alone. So a quiet platform takes a signal into the
incident that goes on for some minutes, and where one opens every few minutes it must be close in time or share much.

The likelihood says how much more often signals of one incident than any two are of such subjects, and share such words.
That of subjects is `Topology.likeness`; that of words is exp(1.5 (share - 0.2)) with the mean share of the incident's
signals that have each word. From odds of 1 on a signal joins the incident with the largest. This is Bayes' rule with a
prior that is learned as incidents open. T and the weights were chosen on the dev scenarios of
benchmarks/correlation.py.

Each signal is compared with what the incidents have in sum: its cost does not grow with the signals that came before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

JOINS = 1.0
"""Least odds that join an incident."""
TAU_PART = 1 / 45
"""T as a part of the window."""
SIZE, SIZE_RATE, FOLLOWING = 1.0, 0.2, 0.05
"""Gamma prior of the number of signals that an incident brings, and how many follow from its last one."""
OPENED, OPENED_IN_S, LATE_PART = 2.0, 200.0, 1 / 2
"""Gamma prior of how fast incidents open, and the part of the window in which it is learned."""
SAME, NEIGHBOUR, SECOND, ANY = 0.1, 0.4, 0.2, 0.3
"""Of the signals of an incident those about a part that it has, a neighbour of one, a neighbour's, and any part."""
UNSEEN = 10
"""Parts beside those of the topology that a signal may be about."""
TEXT, USUAL_SHARE = 1.5, 0.2
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
    """What an incident has in sum.

    Args: words: how many of its signals have each; signals: how many it has; first_s, last_s: seconds of one clock.
    """

    key: str
    subjects: frozenset[str]
    words: Mapping[str, int]
    first_s: float
    last_s: float
    signals: int


class Topology:
    """Which subjects are neighbours: one calls the other, as declared or as traces show. Direction does not count."""

    def __init__(self, edges: Mapping[str, Iterable[str]]) -> None:
        self._near: dict[str, set[str]] = {}
        for one, others in edges.items():
            for other in others:
                self._near.setdefault(one, set()).add(other)
                self._near.setdefault(other, set()).add(one)
        self._ends = sum(map(len, self._near.values()))
        self._more: dict[str, dict[str, float]] = {}

    def likeness(self, ours: Iterable[str], theirs: frozenset[str]) -> float:
        """How much more often signals of one incident are of such subjects than any two; 1 where a side names none.

        An incident walks along calls: from a part to itself, to a neighbour, to a neighbour's. A part that has many
        neighbours is in many incidents: that two signals are next to it tells little. The largest of our names counts.
        """
        return max((self._of_one(name, theirs) for name in ours), default=1.0) if theirs else 1.0

    def _of_one(self, name: str, theirs: frozenset[str]) -> float:
        more = self._more.get(name)
        if more is None:
            more = self._more[name] = self._reached(name)
        return ANY + sum(more[each] for each in theirs & more.keys()) / len(theirs)

    def _reached(self, name: str) -> dict[str, float]:
        """From which parts an incident reaches this one, and how much more often than by chance."""
        mine = self._near.get(name, set())
        by_chance = (len(mine) + 1) / (self._ends + len(self._near) + UNSEEN)
        # A part without known neighbours has nowhere to go.
        found = {name: (SAME if mine else 1 - ANY) / by_chance}
        for near in mine:
            steps = len(self._near[near])
            found[near] = found.get(near, 0.0) + NEIGHBOUR / steps / by_chance
            for second in self._near[near]:
                share = SECOND / steps / len(self._near[second])
                found[second] = found.get(second, 0.0) + share / by_chance
        return found


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
    opening: float,
    topology: Topology,
    window_s: float,
) -> float:
    """How much rather a signal comes from an incident than from a new one, above 0.

    Args:
        at_s: when it began, on the clock of the profile.
        opening: how many incidents begin a second.
        window_s: longest silence between two signals of one incident; beyond it the answer is 0.
    """
    silence_s = max(to.first_s - at_s, at_s - to.last_s, 0.0)
    if silence_s > window_s:
        return 0.0
    tau_s = window_s * TAU_PART
    left = math.exp(-abs(at_s - to.first_s) / tau_s)
    rate = (to.signals + SIZE) / (1 - left + SIZE_RATE) * left + FOLLOWING * math.exp(-silence_s / tau_s)
    share = sum(to.words.get(word, 0) for word in words) / len(words) / to.signals if words else USUAL_SHARE
    likelihood = topology.likeness(names, to.subjects) * math.exp(TEXT * (share - USUAL_SHARE))
    return rate / tau_s * likelihood / opening


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
    opening = _opening(profiles, at_s, window_s)
    found: Profile | None = None
    most = JOINS
    for each in profiles:
        value = odds(names, words, at_s, each, opening=opening, topology=topology, window_s=window_s)
        if value >= most and (found is None or value > most):
            found, most = each, value
    return found


def _opening(profiles: Sequence[Profile], at_s: float, window_s: float) -> float:
    """How many incidents begin a second, from those that did of late; the first one known only says since when."""
    ages = [at_s - each.first_s for each in profiles if each.first_s <= at_s]
    since_s = min(max(ages, default=0.0), window_s * LATE_PART)
    began = sum(age < since_s for age in ages)
    return (began + OPENED) / (since_s + OPENED_IN_S)
