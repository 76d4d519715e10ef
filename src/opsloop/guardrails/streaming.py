"""Redact a text that comes in pieces: what goes out, together, is what the whole text redacted would be.

A piece may end within an address, or before the word that makes a number one. So the end of what came is held until
every screen calls it settled, and is looked through together with what stands before it on its line. What is decided
at a place depends on the text alone and not on how it was cut: looks happen each time `STEP` characters have come.

Held are two words and, near numbers, 128 characters; a word without end, or a private key, up to `LONGEST`. Behind that
the text goes on although more of it might have made it a finding: memory and delay stay bounded.
"""

from __future__ import annotations

from opsloop.guardrails.models import Action, mark
from opsloop.guardrails.pii.models import Finding
from opsloop.guardrails.policy import Policy
from opsloop.guardrails.screening import Tally, find, replaced, watch
from opsloop.guardrails.screens.finder import word_start

STEP = 16
LONGEST = 32_768
"""Characters that are held at most; no detector finds anything longer."""
BEFORE = 512
"""Characters of the same line that are looked at before a place; detectors look at 40."""
_LONG_WORD = 4_096
_SELDOM = 4_096
"""Once too much is held, the characters between two looks: each reads all that is held."""


class StreamRedactor:
    """Of one stream. `feed` pieces, `finish` once; both give what may go out. Raises: ScreenBroken.

    What is to be blocked or escalated stops the stream: `is_stopped`, and nothing goes out any more.
    """

    def __init__(self, policy: Policy, tally: Tally) -> None:
        self._policy = policy
        self._tally = tally
        self._watch = watch(policy, tally.direction)
        self.is_needed = self._watch.keeps_back
        """Whether anything is kept back at all."""
        # What stands before on the line and went out, and what is held.
        self._before = ""
        self._held = ""
        self._next = STEP
        self.is_stopped = False

    @property
    def held(self) -> int:
        """Characters that are held."""
        return len(self._held)

    def feed(self, piece: str) -> str:
        """What may go out now that this came."""
        if self.is_stopped:
            return ""
        if not self.is_needed:
            return piece
        out: list[str] = []
        at = 0
        while len(piece) - at >= self._next and not self.is_stopped:
            self._held += piece[at : at + self._next]
            at += self._next
            self._next = STEP
            out.append(self._look())
        if self.is_stopped:
            return "".join(out)
        self._held += piece[at:]
        self._next -= len(piece) - at
        return "".join(out)

    def finish(self) -> str:
        """What was held at the end."""
        if self.is_stopped or not self._held:
            return ""
        return self._out(len(self._held))

    def _look(self) -> str:
        length = len(self._held)
        text = self._before + self._held
        settled = min((finder.settled(text) for finder, _ in self._watch.parts), default=len(text)) - len(self._before)
        if settled <= 0 and length > LONGEST and length % _SELDOM < STEP:
            settled = length - LONGEST
        return self._out(settled) if settled > 0 else ""

    def _out(self, settled: int) -> str:
        """What is held, up to a place or to the finding that goes over it."""
        start = len(self._before)
        text = self._before + self._held
        seen = find(text, self._watch, self._policy, self._tally)
        found = [each for each in seen if each.start >= start]
        cut = start + settled
        over = next((each for each in found if each.start < cut < each.end), None)
        if over is not None:
            # A finding without end would be held for ever: its place is known to be none that goes out.
            cut = over.start if len(text) - over.start <= LONGEST else over.end
        ready = [each for each in found if each.end <= cut]
        stop = next((each for each in ready if self._watch.actions[each.kind].rank >= Action.BLOCK.rank), None)
        if stop is not None:
            self.is_stopped = True
            ready, cut = [each for each in ready if each.start <= stop.start], stop.end
        out = self._replaced(text, start, cut, ready)
        if stop is not None:
            out = out[: -len(mark(stop.kind))]
            self._before = self._held = ""
        else:
            self._keep(text, cut, seen)
        return out

    def _replaced(self, text: str, start: int, cut: int, found: list[Finding]) -> str:
        moved = [Finding(each.kind, each.start - start, each.end - start, each.confidence) for each in found]
        return replaced(text[start:cut], moved, self._watch.actions, self._tally)

    def _keep(self, text: str, cut: int, seen: list[Finding]) -> None:
        """Keep what is held, and what stands before it, cut in no word and no finding: half of one looks otherwise."""
        # The line break too: a number may have to stand alone on its line.
        begin = max(0, cut - BEFORE, text.rfind("\n", 0, cut))
        word = word_start(text, begin)
        begin = word if begin - word <= _LONG_WORD else begin
        begin = next((each.start for each in seen if each.start < begin < each.end), begin)
        self._before, self._held = text[begin:cut], text[cut:]
