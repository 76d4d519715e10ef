"""What is said before a place in a text: `phone:` before a number makes it one."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Texts may be searched together, with this between them: nothing is found across it.
BETWEEN_TEXTS = "\x1e"
REACH = 40


@dataclass(frozen=True, slots=True)
class WordsBefore:
    """Args: heading: what is known of the whole text, such as the name of the column it stands in."""

    text: str
    heading: str = ""

    def at(self, start: int) -> str:
        """The words of the same line, the heading too where the text starts within reach."""
        said = self.text[max(0, start - REACH) : start]
        if BETWEEN_TEXTS in said:
            return f"{self.heading} {said[said.rindex(BETWEEN_TEXTS) + 1 :]}"
        line = said.rpartition("\n")[2]
        return f"{self.heading} {said}" if start <= REACH and len(line) == len(said) else line

    def say(self, start: int, words: re.Pattern[str]) -> bool:
        return words.search(self.at(start)) is not None
