"""A Python function or class as a flow, without a `flow.flex.yaml`: `flow:ChatFlow`, or the object itself."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.flows.connections import lookup

_ENTRY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Entered:
    """Where the flow is. `target` is what is called for each row, when whoever asks has made it already."""

    path: Path
    target: Callable[..., Any] | None = None


def entered(flow: Any, folder: Path | None = None) -> Entered:
    """What users name a flow by: its path, `module:name` of a module in a folder, or a function or object to call.

    Args:
        folder: where the module is; unset: the current folder.
    Raises: InvalidInput.
    """
    if callable(flow):
        return _of_callable(flow)
    if is_entry(flow) and not Path(flow).exists():
        return Entered(_written(flow, (folder or Path()).resolve()))
    if isinstance(flow, str | Path):
        return Entered(Path(flow))
    path = getattr(flow, "path", None)  # a flow or prompty that was loaded before
    if path is not None:
        return Entered(Path(path))
    raise InvalidInput(field="flow", value=flow, wanted="a path, MODULE:FUNCTION, a function or an object to call")


def is_entry(flow: Any) -> bool:
    return isinstance(flow, str) and _ENTRY.fullmatch(flow) is not None


def _of_callable(flow: Callable[..., Any]) -> Entered:
    path = getattr(flow, "path", None)
    if isinstance(path, Path) and path.is_file():
        return Entered(path)
    named = flow if inspect.isfunction(flow) or inspect.isclass(flow) else type(flow)
    file = getattr(sys.modules.get(named.__module__), "__file__", None)
    if file is None or "<locals>" in named.__qualname__:
        wanted = "a function or class at the top of a file: Opsloop reads what it takes from there"
        raise InvalidInput(field="flow", value=named.__qualname__, wanted=wanted)
    target = None if inspect.isclass(flow) else flow
    return Entered(_written(f"{Path(file).stem}:{named.__name__}", Path(file).resolve().parent), target)


def _written(entry: str, folder: Path) -> Path:
    """A flow file that says what is called: what reads flows then reads this one. It stays, for a run that goes on."""
    place = lookup.home() / "entries" / sha256(f"{folder}\0{entry}".encode()).hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True)
    # JSON is YAML; so no name or path can mean anything else in it.
    text = json.dumps({"name": entry.rpartition(":")[2], "entry": entry, "code": str(folder)})
    (place / "flow.flex.yaml").write_text(text)
    return place / "flow.flex.yaml"
