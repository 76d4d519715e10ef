"""The known forms of report. A module of this package registers its own; adding one edits nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

import opsloop.evaluation.reports as package
from opsloop.core.errors import InvalidInput
from opsloop.evaluation.reports.document import ReportDocument


@dataclass(frozen=True, slots=True)
class ReportForm:
    name: str
    media_type: str
    render: Callable[[ReportDocument], str]


_FORMS: dict[str, ReportForm] = {}


def register(form: ReportForm, *also: str) -> None:
    """Register a form under its name and others it goes by."""
    _FORMS.update(dict.fromkeys((form.name, *also), form))


@cache
def known() -> dict[str, ReportForm]:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_FORMS.items()))


def find(name: str) -> ReportForm:
    """Raises: InvalidInput."""
    if name not in known():
        near = get_close_matches(name, known(), n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise InvalidInput(field="format", value=name, wanted=f"one of {', '.join(known())}{meant}")
    return known()[name]
