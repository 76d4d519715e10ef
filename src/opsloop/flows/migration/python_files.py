"""What a flow's Python imports, read from its source; none of it is run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Imports:
    """Modules by dotted name, with the files that import them. `broken` are files that are no Python.

    `of_promptflow` are the names that are imported from Prompt flow's modules: `promptflow.core.tool`.
    """

    modules: dict[str, list[str]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    of_promptflow: dict[str, list[str]] = field(default_factory=dict)


def imports_of(folder: Path, files: Iterable[Path], beside: Iterable[Path] = ()) -> Imports:
    """What files import, and what the files of the flow do that they import in turn.

    An import that the source itself guards (`try: … except ImportError`, `if TYPE_CHECKING`) is left out, as is
    Python's own library.

    Args:
        beside: folders and files that the flow includes; what lies there is the flow's own too.
    """
    found = Imports()
    places = [folder, *(each if each.is_dir() else each.parent for each in beside)]
    waiting, seen = [file.resolve() for file in files], set[Path]()
    while waiting:
        file = waiting.pop()
        if file in seen or not file.is_file():
            continue
        seen.add(file)
        for module, is_relative in _of_file(file, found):
            own = [each for place in (file.parent, *places) for each in _own(place, module)]
            if own:
                waiting += [each.resolve() for each in own]
                continue
            top = module.partition(".")[0]
            by_name = found.of_promptflow if is_relative and top == "promptflow" else found.modules
            if top in sys.stdlib_module_names or (is_relative and by_name is found.modules):
                continue
            name = str(file.relative_to(folder.resolve())) if file.is_relative_to(folder.resolve()) else file.name
            files_of = by_name.setdefault(module, [])
            if name not in files_of:
                files_of.append(name)
    return found


def _of_file(file: Path, found: Imports) -> Iterator[tuple[str, bool]]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError) as error:
        found.broken[file.name] = str(error)
        return
    yield from _of_block(tree.body)


def _of_block(block: Iterable[ast.AST]) -> Iterator[tuple[str, bool]]:
    for node in block:
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _of_from(node)
        elif isinstance(node, ast.Try) and any(_catches_import(each) for each in node.handlers):
            yield from _of_block([*node.orelse, *node.finalbody])
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from _of_block(node.orelse)
        else:
            yield from _of_block(ast.iter_child_nodes(node))


def _of_from(node: ast.ImportFrom) -> Iterator[tuple[str, bool]]:
    if node.module is not None:
        yield node.module, node.level > 0
        # `from azure.ai import ml` imports a module too, and `from helpers import one` may.
        yield from ((f"{node.module}.{alias.name}", True) for alias in node.names)
    else:
        yield from ((alias.name, True) for alias in node.names)


def _catches_import(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = {each.id for each in ast.walk(handler.type) if isinstance(each, ast.Name)}
    return bool(names & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def _own(place: Path, module: str) -> list[Path]:
    """The files in a folder that an import of a module runs."""
    base = place.joinpath(*module.split("."))
    files = [each for each in (base.with_suffix(".py"), base / "__init__.py") if each.is_file()]
    if files:
        return files
    return [] if "." not in module and not base.is_dir() else _packages(place, module)


def _packages(place: Path, module: str) -> list[Path]:
    """A folder of Python without `__init__.py` is the flow's own too."""
    base = place.joinpath(*module.split("."))
    return sorted(base.glob("*.py")) if base.is_dir() else []
