"""Look through a text with screens: pure, without I/O of ours; what an installed screen does is its own affair."""

from __future__ import annotations

import traceback
from collections.abc import Collection

import structlog

from opsloop.guardrails.errors import UnknownScreen
from opsloop.guardrails.models import Finding, Scan, ScreenFailure, ScreenShown
from opsloop.guardrails.screens.registry import known
from opsloop.guardrails.screens.screen import Screen

log = structlog.get_logger()


def scan(text: str, screens: Collection[str] | None = None) -> Scan:
    """What screens find in a text; without names, all that look by default, installed ones too.

    Raises: UnknownScreen. A screen that fails raises nothing: it is named in the scan's `failures`, and logged.
    """
    there = known()
    findings: list[Finding] = []
    failures: list[ScreenFailure] = []
    for name in checked(screens) if screens is not None else there.default_names:
        screen = there.screens.get(name)
        failure = there.broken[name] if screen is None else _search(screen, text, findings)
        if failure is not None:
            failures.append(failure)
    findings.sort(key=lambda each: (each.start, each.end, each.screen, each.kind))
    return Scan(tuple(findings), tuple(failures))


def checked(screens: Collection[str]) -> list[str]:
    """Names of screens, each once. Raises: UnknownScreen."""
    names = known().names
    for name in screens:
        if name not in names:
            raise UnknownScreen(field="screens", value=name, wanted=f"one of {', '.join(names)}")
    return sorted(set(screens))


def _search(screen: Screen, text: str, findings: list[Finding]) -> ScreenFailure | None:
    if screen.trouble is not None:
        return ScreenFailure(screen.name, screen.trouble)
    try:
        found = list(screen.findings(text))
    except Exception as error:  # noqa: BLE001 (code of others; what it says may quote the text)
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{frame.filename}:{frame.lineno}"
        log.error("guardrail_screen_failed", screen=screen.name, error=type(error).__name__, where=where)
        return ScreenFailure(screen.name, f"{type(error).__name__} in {frame.name}; the log says where")
    findings += found
    return None


def listed() -> list[ScreenShown]:
    """All screens by name, those that cannot be used too."""
    there = known()
    usable = [
        ScreenShown(each.name, each.kinds, each.by_default, each.needs, each.trouble) for each in there.screens.values()
    ]
    broken = [ScreenShown(each.screen, (), True, "", each.reason) for each in there.broken.values()]
    return sorted([*usable, *broken], key=lambda each: each.name)
