"""Which of Prompt flow's modules and names there are: those of the shim, or of an installed Prompt flow."""

from __future__ import annotations

import importlib

from opsloop.flows.migration.distributions import is_installed
from opsloop.flows.shim_finder import SHIM, install_shim

AZURE = "promptflow.azure"


def is_there(module: str) -> bool:
    """Whether an import of Prompt flow's resolves: by the shim, or by an installed Prompt flow."""
    if is_installed("promptflow"):
        return is_installed(module)
    base = SHIM.joinpath(*module.split("."))
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()


def has(module: str, name: str) -> bool:
    """Whether a module that is there has a name. An installed Prompt flow is not asked: only running it would tell."""
    if is_installed("promptflow") or name == "*":
        return True
    install_shim()  # Opsloop's own modules; nothing of a flow is run
    return hasattr(importlib.import_module(module), name) or is_there(f"{module}.{name}")


def has_tool(tool: str) -> bool:
    """Whether there is `promptflow.tools.module.function`, or `promptflow.tools.module.Class.method`."""
    place, _, name = tool.rpartition(".")
    if is_there(place):
        return has(place, name)
    module, _, kind = place.rpartition(".")
    return is_there(module) and has(module, kind)


def is_azure(module: str) -> bool:
    return module == AZURE or module.startswith(f"{AZURE}.")
