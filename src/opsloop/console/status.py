"""A state as shape, word and colour, so that none of them has to be seen for the others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Badge:
    """`tone` names the colour: good, fair, bad, busy or quiet."""

    shape: str
    word: str
    tone: str


_GOOD = ("✓", "good")
_FAIR = ("~", "fair")
_BAD = ("✕", "bad")
_QUIET = ("○", "quiet")
_BUSY = ("◐", "busy")
_WORDS = {
    _GOOD: """
        promoted done pass completed finished up resumed holds quiet
        answered approved won better within met resolved mitigated
        helped rehearsed yes
    """,
    _FAIR: """
        paused inconclusive aborted cancelled taken_back awaiting_approval
        frozen expired overridden held unclear mismatch burning
        open
        triggered
        waits_for_a_yes lapsed undone not_helped
    """,
    _BAD: """
        rolled_back failed fail error broken down drifted worse rejected lost
        firing
        unknown halted no
    """,
    _BUSY: """
        running started stepped scoring measuring claimed acknowledged
        collecting training preparing evaluating judging rolling_out shadowed
        acting checking undoing
    """,
}
_LOOKS = {word: look for look, words in _WORDS.items() for word in words.split()}


def badge(state: object) -> Badge:
    """The badge of a rollout's, run's, job's or gate's state; one nobody knows is shown quietly."""
    text = str(getattr(state, "value", state))
    shape, tone = _LOOKS.get(text.replace(" ", "_"), _QUIET)
    return Badge(shape, text.replace("_", " "), tone)
