"""Text of strangers on its way into a document: nothing in it may steer a reader's program or deceive the eye."""

from __future__ import annotations

import re

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# C0 and C1 without tab and line feed, surrogates, and what XML 1.0 does not allow.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Marks that turn the order of what is read around: embeddings, overrides, isolates.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def inert(text: str) -> str:
    """Text without control characters; marks that turn the reading direction are named instead of obeyed."""
    if text.isascii() and text.isprintable():
        return text
    text = _CONTROL.sub(_REPLACEMENT, text.replace("\r\n", "\n").replace("\r", "\n"))
    return _TURNING.sub(lambda mark: f"[U+{ord(mark[0]):04X}]", text)
