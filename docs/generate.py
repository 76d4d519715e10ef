"""Write the generated pages of `docs/reference`, or check them: `python -m docs.generate [--check]`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from docs._reference import cli, http, metrics, settings
from opsloop.compliance import forms as audit_report
from opsloop.evaluation.reports import json_report

REFERENCE = Path(__file__).parent / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli.page,
    "settings.md": settings.page,
    "metrics.md": metrics.page,
    "http.md": http.page,
    "openapi.json": http.openapi_json,
    "report.schema.json": json_report.schema,
    "audit-report.schema.json": audit_report.schema,
}


def main(arguments: list[str]) -> int:
    written = {name: make() for name, make in PAGES.items()}
    if arguments == ["--check"]:
        return _check(written)
    for name, text in written.items():
        (REFERENCE / name).write_text(text)
    return 0


def _check(written: dict[str, str]) -> int:
    stale = [name for name, text in written.items() if _on_disk(name) != text]
    for name in stale:
        print(f"docs/reference/{name} is not what the code says: run `make docs`", file=sys.stderr)
    return 1 if stale else 0


def _on_disk(name: str) -> str | None:
    file = REFERENCE / name
    return file.read_text() if file.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
