"""How often Python looks for garbage in a process that serves."""

from __future__ import annotations

import gc

# Objects that are made, less those that went, before the collector looks at them; Python's own number is 700.
YOUNG_OBJECTS = 10_000


def spare_collections() -> None:
    """Never look again at what was made until now, and less often at what requests leave.

    A full collection walks every object of a platform, some hundred thousand of them, and comes after a few hundred
    requests unless it is told otherwise: two fifths of the CPU of a small answer. Source: Python's library reference,
    `gc.freeze`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
