"""`.env` files: variables, one a line."""

from __future__ import annotations

from collections.abc import Sequence


def assignments(lines: Sequence[str]) -> dict[str, str]:
    """The variables that the lines set."""
    pairs = [line.removeprefix("export ").partition("=") for line in map(str.strip, lines) if line[:1] not in ("", "#")]
    return {name.strip(): value.strip().strip("\"'") for name, equals, value in pairs if equals}
