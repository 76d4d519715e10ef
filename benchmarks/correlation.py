"""Alerts of four interleaved incidents, put together again: `python benchmarks/correlation.py [DATA]`.

DATA holds ITBench's scenarios (`scenario_*.yaml`: the alerts of an incident, what they fire on, how it spread); without
it the folder beside the checkout is taken. There is no telemetry in it, so time is simulated: four scenarios with two
alerts or more begin at random moments of a span of 120, 30 or 15 minutes; an alert follows the start by an exponential
delay of 90 s. What is read of an alert is its name and what it fires on; the descriptions give the cause away and are
not read. The topology is what the other scenarios' spreading shows, never that of the four.

Printed is the pairwise F1 (of all pairs of alerts, those put together and those that belong together), the mean of 200
mixes, beside the time gap that does best on the same mixes. Goals: .90, .75 and .65.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from opsloop.incidents.correlation.grouping import Profile, Topology, best, words_of

BESIDE = Path(__file__).parents[2] / "shared" / "data" / "operations" / "itbench_sre" / "dev"
GOALS = {120: 0.90, 30: 0.75, 15: 0.65}
MIXES, MIXED, DELAY_S, WINDOW_S = 200, 4, 90.0, 3_600.0
GAPS_S = (30, 60, 120, 180, 240, 300, 420, 600, 900)
_NUMBERED = re.compile(r"(-(service|pod|deployment|replicaset|namespace|endpoint))?(-\d+)?$")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Args: alerts: name and what it fires on; edges: from what to what it spread."""

    name: str
    alerts: tuple[tuple[str, str], ...]
    edges: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Fired:
    name: str
    subject: str
    at_s: float
    incident: int


def read(folder: Path) -> list[Scenario]:
    found = []
    for file in sorted(folder.glob("scenario_*.yaml")):
        given: dict[str, Any] = YAML(typ="safe", pure=True).load(file.read_text())
        given = given.get("spec", given)
        alerts = [(each["id"], _entity(each.get("group_id") or "")) for each in given.get("alerts", [])]
        edges = [(_entity(each["source"]), _entity(each["target"])) for each in given.get("propagations", [])]
        found.append(Scenario(file.stem, tuple(dict.fromkeys(alerts)), tuple(edges)))
    return [each for each in found if len(each.alerts) >= 2]


def _entity(group: str) -> str:
    """`frontend-service-1` and `frontend-pod-1` are both `frontend`."""
    return _NUMBERED.sub("", _NUMBERED.sub("", group))


def mixed(scenarios: Sequence[Scenario], span_min: int, draw: random.Random) -> tuple[list[Fired], Topology]:
    chosen = draw.sample(list(scenarios), MIXED)
    fired = []
    for number, scenario in enumerate(chosen):
        start_s = draw.uniform(0, span_min * 60)
        fired += [
            Fired(name, subject, start_s + draw.expovariate(1 / DELAY_S), number) for name, subject in scenario.alerts
        ]
    edges: dict[str, list[str]] = {}
    for scenario in scenarios:
        if scenario not in chosen:
            for source, target in scenario.edges:
                edges.setdefault(f"service:{source}", []).append(f"service:{target}")
    return sorted(fired, key=lambda each: each.at_s), Topology(edges)


def by_time(fired: Sequence[Fired], gap_s: float) -> list[int]:
    """A new incident after every silence longer than the gap."""
    found: list[int] = []
    for place, each in enumerate(fired):
        is_new = place == 0 or each.at_s - fired[place - 1].at_s > gap_s
        found.append((found[-1] if found else 0) + is_new)
    return found


def by_ours(fired: Sequence[Fired], topology: Topology) -> list[int]:
    """As signals are taken in: one after the other, each compared with what the incidents have in sum."""
    profiles: dict[str, Profile] = {}
    found: list[int] = []
    for each in fired:
        names, words = (f"service:{each.subject}",) if each.subject else (), words_of(each.name)
        joined = best(names, words, each.at_s, profiles.values(), topology=topology, window_s=WINDOW_S)
        key = joined.key if joined else str(len(profiles))
        old = joined or Profile(key, frozenset(), {}, each.at_s, each.at_s, 0)
        counts = dict(old.words) | {word: old.words.get(word, 0) + 1 for word in words}
        subjects, last_s = old.subjects | set(names), max(old.last_s, each.at_s)
        profiles[key] = Profile(key, subjects, counts, old.first_s, last_s, old.signals + 1)
        found.append(int(key))
    return found


def pairwise_f1(fired: Sequence[Fired], found: Sequence[int]) -> float:
    both = together = belong = 0
    for one, other in combinations(range(len(fired)), 2):
        is_together, is_right = found[one] == found[other], fired[one].incident == fired[other].incident
        both, together, belong = both + (is_together and is_right), together + is_together, belong + is_right
    return 2 * both / (together + belong) if together + belong else 1.0


def measured(scenarios: Sequence[Scenario], span_min: int) -> tuple[float, float, int]:
    """F1 of ours, F1 of the best time gap, and that gap in seconds."""
    draw = random.Random(span_min)
    mixes = [mixed(scenarios, span_min, draw) for _ in range(MIXES)]

    def mean(group: Callable[[list[Fired], Topology], list[int]]) -> float:
        return sum(pairwise_f1(fired, group(fired, topology)) for fired, topology in mixes) / MIXES

    gaps = {gap: mean(lambda fired, _, gap=gap: by_time(fired, gap)) for gap in GAPS_S}  # type: ignore[misc]
    gap = max(gaps, key=lambda each: gaps[each])
    return mean(by_ours), gaps[gap], gap


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else BESIDE
    scenarios = read(folder) if folder.is_dir() else []
    if len(scenarios) < MIXED:
        print(f"correlation: no scenarios in {folder}; give the folder of ITBench's scenario_*.yaml", file=sys.stderr)
        return 2
    missed = False
    print(f"{len(scenarios)} scenarios, {MIXES} mixes of {MIXED}, time simulated; pairwise F1")
    for span_min, goal in GOALS.items():
        ours, gap_f1, gap_s = measured(scenarios, span_min)
        missed |= ours < goal
        print(f"span {span_min:3d} min: opsloop {ours:.3f} (goal {goal:.2f}), time gap {gap_f1:.3f} (best: {gap_s} s)")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
