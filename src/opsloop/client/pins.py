"""What `opsloop apply` leaves alone: what was released already, and taken back or left for a cause.

Declaring it once more does not make it good. It is released again when it is changed, or by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opsloop.releases.models import Release


def of(releases: Iterable[Release], is_wanted: Callable[[Release], bool]) -> str:
    """Why the wanted release is not made, as a sentence; empty when nothing speaks against it."""
    newest = max(filter(is_wanted, releases), key=lambda release: release.number, default=None)
    if newest is None or newest.left_for is None:
        return ""
    at = f"release {newest.number} ({newest.serves})"
    return f"pinned: {at} was left, {newest.left_for}; change what it serves, or release it by hand"
