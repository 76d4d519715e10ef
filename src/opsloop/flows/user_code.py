"""Users' Python, loaded so that two versions of one flow live in one process and never meet.

Each loaded flow gets a package of its own in `sys.modules`, whose path is the flow's folder. The modules in it import
their neighbours by plain name (`from helper import x`), as Prompt flow lets them; their `import` looks into the flow's
folder first and keeps what it finds in the flow's package.
"""

from __future__ import annotations

import builtins
import importlib
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from itertools import count
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

PREFIX = "_opsloop_flow_"
# What is to be done once a flow has imported a library, by the library's name; called after each import of a flow.
noticed_libraries: dict[str, Callable[[], None]] = {}
_numbers = count(1)


class UserModules:
    """The modules of one loaded flow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = f"{PREFIX}{next(_numbers)}"
        root = ModuleType(self.package, "A loaded flow.")
        root.__path__ = [str(folder)]
        sys.modules[self.package] = root
        _FINDER.flows[self.package] = self
        self.builtins = {**vars(builtins), "__import__": self._import}

    def load(self, path: str) -> ModuleType:
        """The module in the file at `path` below the flow's folder. Raises: whatever the user's file raises."""
        parts = Path(path).with_suffix("").parts
        for depth in range(1, len(parts)):
            self._folder_as_package(parts[:depth])
        return importlib.import_module(".".join((self.package, *parts)))

    def close(self) -> None:
        """Forget the modules. Functions taken from them go on working."""
        forget(self.package)

    def _folder_as_package(self, parts: Sequence[str]) -> None:
        name = ".".join((self.package, *parts))
        if name not in sys.modules and not self.folder.joinpath(*parts, "__init__.py").is_file():
            package = ModuleType(name)
            package.__path__ = [str(self.folder.joinpath(*parts))]
            sys.modules[name] = package

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if level == 0 and self._is_ours(name.partition(".")[0]):
            inside = f"{self.package}.{name}"
            if fromlist:
                return builtins.__import__(inside, globals, locals, fromlist, 0)
            importlib.import_module(inside)
            return sys.modules[f"{self.package}.{name.partition('.')[0]}"]
        found = builtins.__import__(name, globals, locals, fromlist or (), level)
        for library, noticed in noticed_libraries.items():
            if library in sys.modules:
                noticed()
        return found

    def _is_ours(self, top: str) -> bool:
        place = self.folder / top
        if place.with_name(f"{top}.py").is_file() or (place / "__init__.py").is_file():
            return True
        # A folder without __init__.py is a package only when nothing installed has that name, as for Python itself.
        if not place.is_dir() or not any(place.glob("*.py")):
            return False
        return top not in sys.modules and PathFinder.find_spec(top) is None


def forget(package: str) -> None:
    """Remove a loaded flow's modules from the process's list of modules."""
    _FINDER.flows.pop(package, None)
    # A copy, made in one step: other threads import meanwhile.
    for name in [name for name in list(sys.modules) if name == package or name.startswith(f"{package}.")]:
        sys.modules.pop(name, None)


class _FlowLoader(SourceFileLoader):
    """Loads a file with the flow's own `import`; neither reads nor writes compiled files beside it."""

    def __init__(self, fullname: str, path: str, flow: UserModules) -> None:
        super().__init__(fullname, path)
        self.flow = flow

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code = self.source_to_code(self.get_data(path), path)
        assert isinstance(code, CodeType)
        return code

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = self.flow.builtins
        super().exec_module(module)


class _FlowFinder:
    """Finds modules of loaded flows, and nothing else."""

    def __init__(self) -> None:
        self.flows: dict[str, UserModules] = {}

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if not fullname.startswith(PREFIX):
            return None
        flow = self.flows.get(fullname.partition(".")[0])
        spec = PathFinder.find_spec(fullname, path)
        if flow is None or spec is None or not isinstance(spec.loader, SourceFileLoader):
            return spec
        spec.loader = _FlowLoader(fullname, spec.loader.path, flow)
        spec.cached = None
        return spec


_FINDER = _FlowFinder()
_INSTALL = threading.Lock()


def install_finder() -> None:
    """Let the import system find modules of loaded flows. Doing it again changes nothing."""
    with _INSTALL:
        if _FINDER not in sys.meta_path:
            sys.meta_path.insert(0, _FINDER)
