"""All screens by name: those of `screens.own`, and those of installed packages. Scans and policies use the same."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

import opsloop.guardrails.screens.own as own
from opsloop.guardrails.models import ScreenFailure
from opsloop.guardrails.screens import installed
from opsloop.guardrails.screens.finder import Finder
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

    @property
    def groups(self) -> dict[str, frozenset[str]]:
        """Kinds that policies can name, by the screen whose name stands for all of its own."""
        return {
            name: frozenset(each.kinds) for name, each in self.screens.items() if each.kinds and each.trouble is None
        }

    @property
    def kinds(self) -> frozenset[str]:
        """Every kind that a policy can name."""
        return frozenset().union(*self.groups.values())

    def finders(self, kinds: Collection[str]) -> dict[Finder, frozenset[str]]:
        """What finds these kinds, each with those that it finds; a kind that nothing finds is in none."""
        found: dict[Finder, frozenset[str]] = {}
        for name, of_screen in self.groups.items():
            if wanted := of_screen & frozenset(kinds):
                finder = self.screens[name].finder
                found[finder] = found.get(finder, frozenset()) | wanted
        return found


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
