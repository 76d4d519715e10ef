"""The CI systems whose logs are known, by name."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from opsloop.incidents.diagnosis import providers
from opsloop.incidents.diagnosis.provider import Provider


@functools.cache
def known() -> dict[str, Provider]:
    found = {}
    for each in pkgutil.iter_modules(providers.__path__):
        provider: Provider = importlib.import_module(f"{providers.__name__}.{each.name}").PROVIDER
        found[provider.name] = provider
    return found
