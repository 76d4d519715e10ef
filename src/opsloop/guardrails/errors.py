"""What can be wrong with a wish to scan."""

from __future__ import annotations

from opsloop.core.errors import InvalidInput, TooLarge


class UnknownScreen(InvalidInput):
    """A screen is named that is neither ours nor installed."""


class TextTooLong(TooLarge):
    template = "text: has {size:,} characters; wanted at most {limit:,}: send it in parts"
