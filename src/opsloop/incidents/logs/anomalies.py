"""What is unusual in a stream of log records: a kind of line that was never seen, and one that comes far too often.

Each window of a minute is judged by tests with known levels. A service whose logs go on as they did gives a false burst
in one of 250,000 windows (twice a year), and a false rarity in at most one of 2,000 (an error: one of 200).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from opsloop.core.errors import InvalidInput
from opsloop.incidents.logs.masking import masked

WINDOW_S = 60
BURST_LEVEL = 4e-6
RARE_LEVEL, RARE_ERROR_LEVEL = 5e-4, 5e-3
# Before this much was seen nothing is unusual.
WARM_WINDOWS = 30
WARM_LINES = 500
MOST_SHAPES = 5_000
MOST_EVIDENCE = 5
# An effect somebody would act on, beside the evidence that there is one.
LEAST_BURST, TIMES = 10, 3.0
QUIET_S = 3_600
# Of what is usual the last day counts most.
_FADE = 1 - 1 / 1_440
_LATE_WINDOWS = 5
_LONGEST_GAP_WINDOWS = 60
_VERSION = 1
_LONGEST_TEXT = 500

Kind = Literal["rarity", "burst"]


@dataclass(frozen=True, slots=True)
class LogAnomaly:
    """Args:
    template: the masked line.
    kind: rarity (never seen before) or burst (its rate has changed).
    at_s: end of the window, in seconds since 1970.
    evidence: lines as they came, at most five.
    count: lines of it in the window; expected: how many were, from what was seen before.
    p: chance of so many if nothing had changed.
    """

    template: str
    kind: Kind
    at_s: int
    evidence: tuple[str, ...]
    count: int
    expected: float
    p: float


@dataclass(slots=True)
class _Usual:
    """Of one kind of line: faded sums of its counts and their squares as of window `last`, and all lines ever."""

    total: float = 0.0
    squares: float = 0.0
    lines: int = 0
    last: int = 0
    told_s: int = -QUIET_S


@dataclass(slots=True)
class _Open:
    counts: dict[str, int] = field(default_factory=dict)
    evidence: dict[str, list[str]] = field(default_factory=dict)
    errors: set[str] = field(default_factory=set)
    lines: int = 0


class LogWatch:
    """Watches the lines of one service in the order in which they come."""

    def __init__(self) -> None:
        self._usual: dict[str, _Usual] = {}
        self._windows = 0
        self._lines = 0
        self._opened: int | None = None
        self._open = _Open()

    def add(self, text: str, at_s: float, *, is_error: bool = False) -> list[LogAnomaly]:
        """Count a line; gives what is unusual in the window that it ends. A late line counts in the open window.

        A clock that jumps, ahead or back, ends one window; what it jumps over counts as an hour of silence at most.
        """
        window = int(at_s // WINDOW_S)
        found: list[LogAnomaly] = []
        if self._opened is None:
            self._opened = window
        elif window > self._opened or window < self._opened - _LATE_WINDOWS:
            found = self._close(gap=max(0, min(window - self._opened - 1, _LONGEST_GAP_WINDOWS)))
            self._opened = window
        template = masked(text)[:_LONGEST_TEXT]
        now = self._open
        now.lines += 1
        if template in now.counts or len(now.counts) < MOST_SHAPES:
            now.counts[template] = now.counts.get(template, 0) + 1
            if is_error:
                now.errors.add(template)
            kept = now.evidence.setdefault(template, [])
            if len(kept) < MOST_EVIDENCE:
                kept.append(text[:_LONGEST_TEXT])
        return found

    def flush(self, now_s: float) -> list[LogAnomaly]:
        """End the open window when its time has passed."""
        if self._opened is None or now_s < (self._opened + 1) * WINDOW_S:
            return []
        found = self._close(gap=0)
        self._opened = None
        return found

    def _close(self, *, gap: int) -> list[LogAnomaly]:
        now, at_s = self._open, ((self._opened or 0) + 1) * WINDOW_S
        is_warm = self._windows >= WARM_WINDOWS and self._lines >= WARM_LINES
        found = [*self._rare(now, at_s), *self._bursts(now, at_s)] if is_warm else []
        self._learn(now, gap)
        self._open = _Open()
        return found

    def _rare(self, now: _Open, at_s: int) -> list[LogAnomaly]:
        """Kinds never seen, when so many new ones among so many lines are not chance.

        The chance that the next line is of a new kind is the share of lines that were alone of their kind.
        Source: I. J. Good, The population frequencies of species, Biometrika 40 (1953), 237-264.
        """
        new = [each for each in now.counts if each not in self._usual]
        if not new:
            return []
        alone = sum(each.lines == 1 for each in self._usual.values())
        chance = (alone + 1) / (self._lines + 1)
        expected = chance * now.lines
        p = _at_least(len(new), expected, math.inf)
        told = [each for each in new if p <= (RARE_ERROR_LEVEL if each in now.errors else RARE_LEVEL)]
        return [
            LogAnomaly(each, "rarity", at_s, tuple(now.evidence[each]), now.counts[each], expected, p)
            for each in sorted(told, key=lambda each: -now.counts[each])[:MOST_EVIDENCE]
        ]

    def _bursts(self, now: _Open, at_s: int) -> list[LogAnomaly]:
        """Kinds of which far more came than before: negative binomial, as rates are seen to vary (or Poisson if not).

        With few windows the rate itself is uncertain: the count is judged by the predictive distribution of a Gamma
        prior (Jeffreys'). Each of the known kinds is tested at its share of the level (Bonferroni).
        Source: A. Gelman et al., Bayesian Data Analysis, 3rd ed. (2013), 2.6.
        """
        found = []
        windows = max(1.0, (1 - _FADE**self._windows) / (1 - _FADE))
        level = BURST_LEVEL / max(1, len(self._usual))
        for template, count in now.counts.items():
            usual = self._usual.get(template)
            if usual is None or count < LEAST_BURST or at_s - usual.told_s < QUIET_S:
                continue
            faded = _FADE ** (self._windows - usual.last)
            expected = (usual.total * faded + 0.5) / windows
            if count < TIMES * expected:
                continue
            spread = usual.squares * faded / windows - expected * expected
            size = expected * windows
            if spread > expected:
                size = min(size, expected * expected / (spread - expected))
            p = _at_least(count, expected, size)
            if p <= level:
                usual.told_s = at_s
                found.append(LogAnomaly(template, "burst", at_s, tuple(now.evidence[template]), count, expected, p))
        return found

    def _learn(self, now: _Open, gap: int) -> None:
        self._windows += 1 + gap
        self._lines += now.lines
        for template, count in now.counts.items():
            usual = self._usual.get(template)
            if usual is None:
                if len(self._usual) >= MOST_SHAPES:
                    self._forget()
                usual = self._usual[template] = _Usual(last=self._windows)
            faded = _FADE ** (self._windows - usual.last)
            usual.total = usual.total * faded + count
            usual.squares = usual.squares * faded + count * count
            usual.lines += count
            usual.last = self._windows

    def _forget(self) -> None:
        """Let the tenth go that was seen longest ago."""
        oldest = sorted(self._usual, key=lambda each: self._usual[each].last)
        for template in oldest[: max(1, MOST_SHAPES // 10)]:
            del self._usual[template]

    def to_json(self) -> dict[str, Any]:
        """The open window is in it, so that nothing is lost between two runs of a job."""
        now = self._open
        return {
            "version": _VERSION,
            "windows": self._windows,
            "lines": self._lines,
            "usual": {
                template: [each.total, each.squares, each.lines, each.last, each.told_s]
                for template, each in self._usual.items()
            },
            "opened": self._opened,
            "open": [now.counts, now.evidence, sorted(now.errors), now.lines],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Raises: InvalidInput when it is no state of this version."""
        if content.get("version") != _VERSION:
            raise InvalidInput(f"a log watch of version {content.get('version')!r} is not known, {_VERSION} is")
        made = cls()
        try:
            made._windows, made._lines, made._opened = content["windows"], content["lines"], content["opened"]
            made._usual = {template: _Usual(*each) for template, each in content["usual"].items()}
            counts, evidence, errors, lines = content["open"]
            made._open = _Open(dict(counts), dict(evidence), set(errors), lines)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput("a log watch's state lacks what it is made of") from error
        return made


def _at_least(count: int, mean: float, size: float) -> float:
    """Chance of `count` or more of a negative binomial of this mean and size; of a Poisson when the size is infinite.

    Summed from `count` upwards until terms no longer matter: exact where it is small, which is where it is used.
    """
    if count <= 0:
        return 1.0
    if math.isinf(size):
        log_term, ratio = count * math.log(mean) - mean - math.lgamma(count + 1), 0.0
    else:
        ratio = mean / (mean + size)
        log_term = math.lgamma(count + size) - math.lgamma(size) - math.lgamma(count + 1)
        log_term += size * math.log1p(-ratio) + count * math.log(ratio)
    term, at, total = math.exp(log_term), count, 0.0
    for _ in range(10_000):
        total += term
        if term < total * 1e-9:
            break
        term *= mean / (at + 1) if math.isinf(size) else ratio * (at + size) / (at + 1)
        at += 1
    return min(1.0, total)
