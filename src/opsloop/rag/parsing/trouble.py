"""What a parser raises when a file cannot be read."""

from __future__ import annotations


class CannotRead(Exception):
    """The reason and what to do, the end of a sentence that begins with the file's name; never a word of the file."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def damaged(what: str) -> CannotRead:
    """`what` with its article: "a PDF document"."""
    return CannotRead(f"it is damaged or cut off, and no longer {what}; open it in its program, save it and try again")
