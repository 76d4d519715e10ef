"""The pages a reader reads."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "examples"
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *ROOT.glob("docs/**/*.md"),
        *TEMPLATES.glob("*/README.md"),
    ]
)
