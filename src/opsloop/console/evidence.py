"""A rollout's evidence, as its analysis stored it, in the words of a page. What is missing is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.console import words

_TROUBLE = {
    "error": "had an error",
    "slow": "waited too long",
    "dissatisfied": "were dissatisfied",
    "guarded": "ran into guardrails",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure with its name."""

    name: str
    figure: str


def facts(evidence: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Who saw the candidate and what it did to them."""
    candidate = _mapping(evidence.get("candidate"))
    if not candidate:
        return ()
    named = {
        "Requests to the candidate": "requests",
        "Users who met it": "users",
        "Requests it failed": "failed",
        "Shielded by stable": "shielded",
        "Callers who saw an error": "callers_saw_error",
    }
    found = [Fact(name, words.count(candidate[key])) for name, key in named.items() if key in candidate]
    if "bad_for_s" in evidence:
        found.append(Fact("First bad answer to last request", words.seconds(evidence["bad_for_s"])))
    return tuple(found)


def sentence(evidence: Mapping[str, Any]) -> str:
    """What the analysis found, or what the present step has shown."""
    found = _mapping(evidence.get("analysis")).get("sentence")
    return str(found or _mapping(evidence.get("step")).get("sentence") or "")


def troubles(evidence: Mapping[str, Any]) -> list[str]:
    """What each kind of trouble shows, and each judge of answers: those that come later, after the others."""
    scored = sorted(kind for kind in _kinds(evidence) if kind not in _TROUBLE)
    told = [*(trouble(evidence, kind) for kind in _TROUBLE), *(_scores(evidence, kind) for kind in scored)]
    return [each for each in told if each]


def trouble(evidence: Mapping[str, Any], kind: str) -> str:
    """One kind of trouble on both sides: `3 of 40 candidate users had an error, 1 of 360 of stable`."""
    reading = _mapping(_kinds(evidence).get(kind))
    candidate, stable = _mapping(reading.get("candidate")), _mapping(reading.get("stable"))
    if not candidate or not stable:
        return ""
    return (
        f"{_of(candidate)} candidate users {_TROUBLE.get(kind, kind)}, {_of(stable)} of stable{_weight(evidence, kind)}"
    )


def _scores(evidence: Mapping[str, Any], kind: str) -> str:
    reading = _mapping(_kinds(evidence).get(kind))
    scored = [_mapping(reading.get(arm)).get("subjects") for arm in ("candidate", "stable")]
    claim = str(reading.get("claim", ""))
    return f"{claim[:1].upper()}{claim[1:]}{_weight(evidence, kind)}" if any(scored) else ""


def _kinds(evidence: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(_mapping(evidence.get("analysis")).get("kinds"))


def _weight(evidence: Mapping[str, Any], kind: str) -> str:
    analysis = _mapping(evidence.get("analysis"))
    value, limit = analysis.get("e_value"), analysis.get("threshold")
    if analysis.get("kind") != kind or not isinstance(value, int | float) or not isinstance(limit, int | float):
        return ""
    return f"; e = {value:.3g} of {limit:.3g} needed to take it back"


def _of(arm: Mapping[str, Any]) -> str:
    return f"{words.count(arm.get('adverse', 0))} of {words.count(arm.get('subjects', 0))}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
