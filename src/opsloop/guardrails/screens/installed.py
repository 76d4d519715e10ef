"""Screens of installed packages, by the entry point group `opsloop.guardrails`.

An entry point is a `Screen`, or a function that takes a text and gives findings; its name is the screen's. One that
cannot be used is logged and named in every scan: a guard that is off must never look like one that found nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import cast

import structlog

from opsloop.guardrails.models import ScreenFailure
from opsloop.guardrails.screens.screen import Screen, Search

GROUP = "opsloop.guardrails"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Installed:
    screens: dict[str, Screen]
    broken: dict[str, ScreenFailure]


def find(*, taken: frozenset[str]) -> Installed:
    """Args: taken: names that a package may not use."""
    points: defaultdict[str, set[EntryPoint]] = defaultdict(set)
    for point in entry_points(group=GROUP):
        points[point.name].add(point)
    screens: dict[str, Screen] = {}
    broken: dict[str, ScreenFailure] = {}
    for name, of_name in sorted(points.items()):
        made = _screen(name, sorted(of_name, key=lambda point: point.value), is_taken=name in taken)
        if isinstance(made, Screen):
            screens[name] = made
        elif name in taken:  # ours goes on; the other is missed under its package's name
            broken[made.screen] = made
        else:
            broken[name] = made
    return Installed(screens, broken)


def _screen(name: str, points: list[EntryPoint], *, is_taken: bool) -> Screen | ScreenFailure:
    packages = ", ".join(sorted({point.dist.name for point in points if point.dist is not None})) or "a package"
    if is_taken:
        return _failure(f"{packages}:{name}", packages, f"{packages} names a screen {name}, and Opsloop has that one")
    if len({point.value for point in points}) > 1:
        return _failure(name, packages, f"more than one package has it: {packages}")
    value = points[0].value
    try:
        target: object = points[0].load()
    except Exception as error:  # noqa: BLE001 (code of others, run on import)
        return _failure(name, packages, f"{value} of {packages} cannot be loaded: {type(error).__name__}: {error}")
    if isinstance(target, Screen):
        return replace(target, name=name)
    if not callable(target):
        reason = f"{value} of {packages} is a {type(target).__name__}; wanted a Screen or a function of a text"
        return _failure(name, packages, reason)
    # What it gives is checked at each scan.
    return Screen(name, (), cast(Search, target))


def _failure(name: str, packages: str, reason: str) -> ScreenFailure:
    log.error("guardrail_screen_broken", screen=name, packages=packages, reason=reason)
    return ScreenFailure(name, reason)
