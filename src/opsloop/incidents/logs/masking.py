"""Take out of a line what differs from run to run: ids, numbers, addresses, paths, dates, durations."""

from __future__ import annotations

import re

MARK = "<*>"
# A line of more is read to here only: what a template says stands in front.
LONGEST = 4096

# Masking costs more than mining, so it is one pattern that begins with one set of characters: a search skips all others
# fast. What stands before that character is asked after it. Every run is possessive or of fixed length, so the time
# grows with the length of the text alone.
_VARIABLE = re.compile(
    r"""
    [0-9A-Fa-fh/~+-](?:
      (?<=[0-9]) (?:
        (?<![0-9A-Za-z].) (?:
            [0-9a-fA-F]{7}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}                  # UUID
          | [0-9a-fA-F](?::[0-9a-fA-F]{2}){5}(?![0-9A-Za-z])                      # MAC
          | (?<=0)[xX][0-9a-fA-F]++
          | [0-9a-fA-F]{6,}+(?![0-9A-Za-z]|[.,:/_T-][0-9])                        # hashes
          | [0-9]*+(?:[.,:/_T-][0-9]++)*+ UNIT                                   # numbers, dates, addresses, durations
        )
        | [0-9]*+
      )
    | (?<=[/~]) (?<![\w/.~-].) (?:(?<=~)/)? (?:[\w.+@%~-]++/)++ [\w.+@%~-]*+ (?::[0-9]++)*+   # paths from the root
    | (?<=[-+]) (?<![0-9A-Za-z].) [0-9]++(?:[.,:/_T-][0-9]++)*+ UNIT
    | (?<=h) (?<![0-9A-Za-z].) ttps?://[^\s"'<>()\[\]{},;]++
    | (?<=[A-Fa-f]) (?<![0-9A-Za-z].) (?:
          :\\[^\s"'<>|:]++                                                       # paths of Windows
        | [0-9a-fA-F](?::[0-9a-fA-F]{2}){5}(?![0-9A-Za-z])
        | (?=[a-fA-F]{0,39}+[0-9]) (?:
              [0-9a-fA-F]{7}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}
            | [0-9a-fA-F]{6,}+(?![0-9A-Za-z])
          )
      )
    )
    """.replace(
        "UNIT", r"(?:Z|%|(?:ns|us|µs|ms|s|secs?|min|h|[kKMGT]i?[bB]|[bB]|[kKMGT])(?:/s(?:ec)?)?(?![A-Za-z0-9]))?"
    ),
    re.VERBOSE | re.DOTALL,
)
_HAS = re.compile(r"[\d/\\]")


def masked(text: str) -> str:
    """The text with `<*>` in place of what varies; a text of more than 4,096 characters is shortened first."""
    if len(text) > LONGEST:
        text = text[:LONGEST]
    if not _HAS.search(text):
        return text
    return _VARIABLE.sub(MARK, text)
