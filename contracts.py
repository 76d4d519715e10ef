"""Import contracts beyond those import-linter brings; pyproject.toml names them under `[tool.importlinter]`."""

from __future__ import annotations

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output


class PrivateModules(Contract):
    """A module named `_x` is imported only from inside the package that holds it."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        breaches = [
            (importer, imported)
            for imported in sorted(graph.modules)
            if (holder := holder_of(imported)) is not None
            for importer in sorted(graph.find_modules_that_directly_import(imported))
            if not _is_inside(importer, holder)
        ]
        return ContractCheck(kept=not breaches, metadata={"breaches": breaches})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["breaches"]:
            output.print_error(
                f"{importer} imports {imported}, which is private to {holder_of(imported)}; "
                f"ask that package's public modules, or move what is shared into one of them",
                bold=False,
            )


def holder_of(module: str) -> str | None:
    """The package to which a module is private, or None when it is public: `a.b` for `a.b._x` and `a.b._x.y`."""
    parts = module.split(".")
    for place, part in enumerate(parts):
        if place > 0 and part.startswith("_") and not part.startswith("__"):
            return ".".join(parts[:place])
    return None


def _is_inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
