"""Which of Prompt flow's modules and names the shim has, read from its files."""

from __future__ import annotations

from opsloop.flows.migration.distributions import is_installed
from opsloop.flows.shim_finder import SHIM

AZURE = "promptflow.azure"


def is_there(module: str) -> bool:
    """Whether an import of Prompt flow's resolves: by the shim, or by an installed Prompt flow."""
    if is_installed("promptflow"):
        return is_installed(module)
    base = SHIM.joinpath(*module.split("."))
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()


def is_azure(module: str) -> bool:
    return module == AZURE or module.startswith(f"{AZURE}.")
