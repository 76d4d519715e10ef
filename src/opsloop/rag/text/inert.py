"""Text of documents and models as it may stand in an answer: nothing in it is a link, an image or markup.

An answer is shown by programs that read it as Markdown or HTML. An image in it would be fetched, which can carry off
what the conversation holds. Citations keep the stored text to the letter and are to be shown as text.
"""

from __future__ import annotations

import re
import unicodedata

URL = re.compile(r"""\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s<>"'`\\)\]]+|\bwww\.[^\s<>"'`\\)\]]+""")
_LINK = re.compile(r"!?\[(?P<text>[^\[\]]*)\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\[\]]*\])")
_DEFINITION = re.compile(r"(?m)^[ \t]*\[[^\]]+\]:[ \t]*\S+.*$")
_AUTOLINK = re.compile(r"<(?P<url>(?:[a-zA-Z][a-zA-Z0-9+.-]*:|www\.)[^<>\s]*)>")
_TAG = re.compile(r"<[/!?|a-zA-Z][^<>]*>")
# What is left of markup that was never whole; a space after it keeps it from becoming whole with what follows.
_LEFT = re.compile(r"!(?=\[)|\](?=[(\[:])|<(?=[/!?|a-zA-Z])|\b(?:javascript|vbscript|data):(?=\S)", re.IGNORECASE)


def inert(text: str) -> str:
    """The text with links and images reduced to their words, tags left out and web addresses as code."""
    text = "".join(each for each in text if each.isspace() or unicodedata.category(each) not in ("Cc", "Cf"))
    previous = None
    while previous != text:  # a link's text may hold an image, and what is left without a tag may be one
        previous = text
        text = _TAG.sub("", _AUTOLINK.sub(_address, _DEFINITION.sub("", _LINK.sub(_words, text))))
    return URL.sub(_as_code, _LEFT.sub(_apart, text))


def _words(found: re.Match[str]) -> str:
    return found["text"]


def _address(found: re.Match[str]) -> str:
    return found["url"]


def _apart(found: re.Match[str]) -> str:
    return f"{found[0]} "


def _as_code(found: re.Match[str]) -> str:
    return f"`{found[0]}`"
