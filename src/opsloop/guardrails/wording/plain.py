"""Disguises taken off: invisible characters, letters of other alphabets that look the same, spaced letters, base64."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata

# Look-alikes of Latin small letters. Source: confusables.txt of Unicode UTS #39, the Cyrillic, Greek and Armenian ones
# that a reader does not see.
_ALIKE_LETTERS = (
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u0432\u043a\u043c\u043d\u0442"
    "\u03b1\u03bf\u03c1\u03bd\u03b9\u03ba\u03c4\u03c5\u03c7\u03b5\u0578\u0585\u057d\u0561\u0131\u0261\u0251"
)
_LOOK_ALIKES = str.maketrans(_ALIKE_LETTERS, "aeopcyxijshdqwbkmhtaopviktuxenouwiga")
_ALIKE = re.compile(f"[{_ALIKE_LETTERS}]")
_QUOTES = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")
# Formats (category Cf: zero-width, direction marks, tags), variation selectors, combining marks over Latin.
_INVISIBLE = re.compile(
    "[\u00ad\u0300-\u036f\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f\U000e0100-\U000e01ef]"
)
_LATIN = re.compile(r"[a-z]")
_WORD = re.compile(r"\w{2,64}")
# Four letters or more, each on its own.
_SPACED = re.compile(r"[^\W\d_](?P<by>[ ._\-*|])(?<![^\W_]..)[^\W\d_](?:(?P=by)[^\W\d_]){2,200}(?![^\W_])")
_BETWEEN = re.compile(r"[ ._\-*|]")
_LEAST_BASE64 = 24
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,4096}={0,2}")
_BLANKS = re.compile(r"\s+")


def plain(text: str) -> str:
    """A passage as its reader hears it, in small letters; what stands in base64 in it is said after it.

    Source: Unicode Normalization Form KC; Unicode UTS #39, 4 (confusable detection).
    """
    said = _undisguised(text)
    if max(map(len, text.split()), default=0) < _LEAST_BASE64:
        return said
    decoded = [_decoded(found[0]) for found in _BASE64.finditer(text)]
    return " ".join([said, *(_undisguised(each) for each in decoded if each)])


def _undisguised(text: str) -> str:
    if not text.isascii():
        folded = unicodedata.normalize("NFKC", text)
        text = _INVISIBLE.sub("", folded).translate(_QUOTES)
    text = text.casefold()
    if _ALIKE.search(text) is not None:
        text = _WORD.sub(_latin, text)
    text = _SPACED.sub(lambda found: _BETWEEN.sub("", found[0]), text)
    return _BLANKS.sub(" ", text).strip()


def _latin(found: re.Match[str]) -> str:
    """A word of Latin letters and their look-alikes only; a word of another alphabet stays."""
    word = found[0]
    if word.isascii() or not _LATIN.search(word):
        return word
    return word.translate(_LOOK_ALIKES)


def _decoded(blob: str) -> str:
    """What base64 says; nothing when that is no text."""
    body = blob.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        said = base64.b64decode(body + "=" * (-len(body) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    letters = sum(char.isalpha() or char.isspace() for char in said)
    return said if letters > 0.8 * len(said) else ""
