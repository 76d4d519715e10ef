"""What of a request cannot be stored, counted and told in the answer, as partial success."""

from __future__ import annotations


class Rejected:
    """How many records were left out, and why the first one was."""

    def __init__(self) -> None:
        self.count = 0
        self.reason = ""

    def add(self, reason: str, count: int = 1) -> None:
        self.count += count
        self.reason = self.reason or reason
