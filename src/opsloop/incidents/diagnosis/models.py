"""The nouns of a diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """How far the evidence goes."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    INCONCLUSIVE = "inconclusive"
    NOT_A_FAILURE = "not_a_failure"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A line of the log.

    Args:
        line: its number, from 1; CR, LF and CRLF each end a line.
        text: the line without colours, time stamps and secrets, cut at `reading.LINE_CHARS` characters.
    """

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another cause that the log allows, and what would confirm it."""

    root_cause: str
    confirm: str
    line: int


@dataclass(frozen=True, slots=True)
class Past:
    """A failure that was diagnosed before and is like this one.

    Args:
        share: of the telling lines of both, in fingerprints, those that both print; 0 to 1.
        job: what ran then; empty when it is not known.
        incident: that it belonged to.
        closed_as, turned_out: what that was, in a word and in words, once somebody said it; else None and empty.
    """

    at: datetime
    job: str
    root_cause: str
    category: str
    share: float
    incident: str | None
    closed_as: str | None
    turned_out: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What broke and why.

    Args:
        fix: steps in order.
        yaml_patch: a unified diff of the workflow or manifest that was given; None when no rule mends it.
        evidence: the most telling line first.
        confidence: share of such answers whose first line is the decisive one, 0 to 1.
        flaky: whether the same job may pass when it runs again: by the known cause, or by its past.
        alternatives: at most two.
        engine: `rules`, or `rules+MODEL` when a model worded it.
        signature: name of the known cause; None when it is none.
        similar: past failures that are like it, the likest first.
        flaky_because: figures of the past that show that it is flaky.
        note: why a model that is set has no part in it; None when it has, or none is set.
    """

    verdict: Verdict
    root_cause: str
    fix: tuple[str, ...]
    yaml_patch: str | None
    evidence: tuple[Evidence, ...]
    confidence: float
    category: str
    flaky: bool
    alternatives: tuple[Alternative, ...]
    engine: str
    provider: str
    step: str | None
    exit_code: int | None
    lines: int
    note: str | None = None
    signature: str | None = None
    similar: tuple[Past, ...] = ()
    flaky_because: str | None = None
