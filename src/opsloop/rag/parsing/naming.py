"""A file name for bytes that came over HTTP, whose end says how they are read."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from opsloop.rag.parsing.kinds import KINDS, MEDIA_TYPES, suffix_of

LONGEST = 180
_NOT_PLAIN = re.compile(r"[/\\\x00-\x1f\x7f]+")
# What servers say of files whose kind they do not know: the name tells more.
_VAGUE = frozenset(("", "application/octet-stream", "binary/octet-stream", "application/x-download"))
_OTHER_WORDS = {
    "application/xhtml+xml": ".html",
    "application/csv": ".csv",
    "application/x-ndjson": ".ndjson",
    "application/x-pdf": ".pdf",
    "text/json": ".json",
    "text/x-markdown": ".md",
}


def filename_of(url: str, media_type: str, *, said: str | None = None) -> str:
    """The name that the server says, or the last part of the URL, with an end that fits the media type.

    The media type counts more than the name: a page that says "log in first" under the address of a PDF is a page. But
    a text may be of any kind that is text, as its name says.
    """
    name = (
        _plain(said or "") or _plain(unquote(urlsplit(url).path.rpartition("/")[2])) or (urlsplit(url).hostname or "")
    )
    name = name[-LONGEST:]
    wanted = _suffix(media_type)
    if wanted is None or _fits(name, media_type, wanted):
        return name
    return name + wanted


def _plain(name: str) -> str:
    found = _NOT_PLAIN.sub("_", name).strip(" .")
    return "".join(each for each in found if each.isprintable())


def _suffix(media_type: str) -> str | None:
    """How names of this kind end; None when the media type tells nothing that is known."""
    if media_type in _VAGUE:
        return None
    if media_type in _OTHER_WORDS:
        return _OTHER_WORDS[media_type]
    return next((suffix for suffix, known in MEDIA_TYPES.items() if known == media_type), None)


def _fits(name: str, media_type: str, wanted: str) -> bool:
    kind = KINDS.get(suffix_of(name))
    if kind is None:
        return False
    if kind is KINDS[wanted]:
        return True
    is_text = not kind.apart
    return (media_type == "text/plain" and is_text) or (media_type == "application/json" and "json" in kind.media_type)
