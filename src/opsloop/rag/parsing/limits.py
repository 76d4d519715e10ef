"""What the reading of one document may take, in a process of its own."""

from __future__ import annotations

CPU_S = 30
WALL_S = 120.0
"""For one that waits without working; a busy machine takes longer than its processor time."""
MEMORY_BYTES = 1 << 30
MAX_TEXT_BYTES = 100_000_000
IDLE_S = 30.0
"""A reader that nobody asks ends after this."""
DOCUMENTS = 200
"""A reader is replaced after so many, whatever its libraries have not given back."""
