"""All screens by name: those of `screens.own`, and those of installed packages."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache

import opsloop.guardrails.screens.own as own
from opsloop.guardrails.models import ScreenFailure
from opsloop.guardrails.screens import installed
from opsloop.guardrails.screens.screen import Screen


@dataclass(frozen=True, slots=True)
class Known:
    """Args: broken: installed ones that cannot be used, by name. They count as asked for, so that they are missed."""

    screens: dict[str, Screen]
    broken: dict[str, ScreenFailure]

    @property
    def names(self) -> list[str]:
        return sorted({*self.screens, *self.broken})

    @property
    def default_names(self) -> list[str]:
        return sorted({name for name, each in self.screens.items() if each.by_default} | set(self.broken))


@cache
def known() -> Known:
    """Found once in a process: a package that is installed later is seen by the next one."""
    ours = _own()
    found = installed.find(taken=frozenset(ours))
    return Known(dict(sorted({**found.screens, **ours}.items())), found.broken)


def _own() -> dict[str, Screen]:
    modules = [importlib.import_module(f"{own.__name__}.{each.name}") for each in pkgutil.iter_modules(own.__path__)]
    screens: list[Screen] = [module.SCREEN for module in modules]
    return {each.name: each for each in screens}
