"""The known strategies. A module of this package registers its own; adding one edits nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

import opsloop.releases.strategies as package
from opsloop.core.errors import InvalidInput
from opsloop.releases.plan import Plan

MakePlan = Callable[[Mapping[str, Any], str], Plan]
_STRATEGIES: dict[str, MakePlan] = {}


def strategy(name: str) -> Callable[[MakePlan], MakePlan]:
    """Register what makes a plan of this strategy's options; its second argument says where they stand."""

    def register(make_plan: MakePlan) -> MakePlan:
        _STRATEGIES[name] = make_plan
        return make_plan

    return register


@cache
def known() -> dict[str, MakePlan]:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_STRATEGIES.items()))


def plan_of(declared: object, *, field: str = "strategy") -> Plan:
    """The plan of a strategy as a user declares it: `canary`, or `{"canary": {"steps": […]}}`.

    Raises: InvalidInput naming the path, the value and the wanted form.
    """
    if isinstance(declared, str):
        return _maker(declared, field)({}, f"{field}.{declared}")
    if not isinstance(declared, Mapping) or len(declared) != 1:
        raise InvalidInput(field=field, value=declared, wanted=f"{_names()}, alone or with options")
    [(name, options)] = declared.items()
    if options is not None and not isinstance(options, Mapping):
        raise InvalidInput(field=f"{field}.{name}", value=options, wanted="a mapping of options")
    return _maker(name, field)(options or {}, f"{field}.{name}")


def _maker(name: object, field: str) -> MakePlan:
    if isinstance(name, str) and name in known():
        return known()[name]
    near = get_close_matches(str(name), known(), n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    raise InvalidInput(field=field, value=name, wanted=_names() + meant)


def _names() -> str:
    return f"one of {', '.join(known())}"
