"""Take out of a line what differs from run to run: ids, numbers, addresses, paths, dates, durations."""

from __future__ import annotations

import re

MARK = "<*>"
# A line of more is read to here only: what a template says stands in front.
LONGEST = 4096

# Masking costs more than mining, so it is one pattern. Each alternative begins with a digit or with a short fixed
# prefix, and every run is possessive: the time grows with the length of the text alone.
_VARIABLE = re.compile(
    r"""
    (?:
      https?://[^\s"'<>()\[\]{},;]++                                          # addresses of pages
    | (?<![\w/.~-]) ~?/(?:[\w.+@%~-]++/)++[\w.+@%~-]*+ (?::\d++)*+             # paths from the root
    | (?<![\w]) [A-Za-z]:\\[^\s"'<>|:]++                                      # paths of Windows
    | (?<![0-9A-Za-z]) (?=[a-fA-F]{0,7}+[0-9]) [0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}
    | (?<![0-9A-Za-z]) (?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2} (?![0-9A-Za-z])    # MAC
    | (?<![0-9A-Za-z]) 0[xX][0-9a-fA-F]++
    | (?<![0-9A-Za-z]) (?=[a-fA-F]{0,39}+[0-9]) [0-9a-fA-F]{7,}+ (?![0-9A-Za-z]) # hashes
    | (?<![0-9A-Za-z]) [-+]?\d++(?:[.,:/_T-]\d++)*+
      (?:Z|%|(?:ns|us|µs|ms|s|sec|secs|min|h|[kKMGT]i?[bB]|[bB]|[kKMGT])(?:/s(?:ec)?)?(?![A-Za-z0-9]))?
    | \d++
    )
    """,
    re.VERBOSE,
)
_HAS = re.compile(r"[\d/\\]")


def masked(text: str) -> str:
    """The text with `<*>` in place of what varies; a text of more than 4,096 characters is shortened first."""
    if len(text) > LONGEST:
        text = text[:LONGEST]
    if not _HAS.search(text):
        return text
    return _VARIABLE.sub(MARK, text)
