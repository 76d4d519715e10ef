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
from opsloop.flows.values import plain, type_of_annotation

_OPEN = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
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
        return _of_object(flow, path.parent) if getattr(flow, "is_overlaid", False) else Entered(path)
    named = flow if inspect.isfunction(flow) or inspect.isclass(flow) else type(flow)
    file = getattr(sys.modules.get(named.__module__), "__file__", None)
    if file is None or "<" in named.__qualname__:
        return _of_object(flow, Path.cwd() if file is None else Path(file).resolve().parent)
    target = None if inspect.isclass(flow) else flow
    return Entered(_written(f"{Path(file).stem}:{named.__name__}", Path(file).resolve().parent), target)


def _of_object(flow: Callable[..., Any], folder: Path) -> Entered:
    """What was typed into a notebook, or made in a function: it has no file from which it could be read or loaded.

    What it takes is read from its signature. A run of it cannot go on in another process.
    """
    if inspect.isclass(flow):
        wanted = "a class at the top of a file, or an object made of it"
        raise InvalidInput(field="flow", value=flow.__qualname__, wanted=wanted)
    named = flow if inspect.isfunction(flow) else type(flow)
    name = named.__name__ if named.__name__.isidentifier() else "call"
    inputs = {key: _input(each) for key, each in inspect.signature(flow).parameters.items() if _is_input(each)}
    module = f"session_{sha256(f'{_source(named)}{inputs}'.encode()).hexdigest()[:16]}"
    return Entered(_written(f"{module}:{name}", folder, inputs=inputs), flow)


def _is_input(parameter: inspect.Parameter) -> bool:
    """Not where its default is no JSON: that stays with the Python, which is then given nothing."""
    is_plain = parameter.default is None or isinstance(parameter.default, str | int | float | list | dict)
    return parameter.kind not in _OPEN and (is_plain or parameter.default is inspect.Parameter.empty)


def _input(parameter: inspect.Parameter) -> dict[str, Any]:
    """As a flow file declares it."""
    type = type_of_annotation(parameter.annotation)
    found: dict[str, Any] = {} if type is None else {"type": type.value}
    return found if parameter.default is inspect.Parameter.empty else {**found, "default": plain(parameter.default)}


def _source(named: Any) -> str:
    """What is written, or at least what it is called."""
    try:
        return inspect.getsource(named)
    except (OSError, TypeError):
        return f"{named.__module__}.{named.__qualname__}"


def _written(entry: str, folder: Path, **declared: Any) -> Path:
    """A flow file that says what is called: what reads flows then reads this one. It stays, for a run that goes on."""
    place = lookup.home() / "entries" / sha256(f"{folder}\0{entry}".encode()).hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True)
    # JSON is YAML; so no name or path can mean anything else in it.
    text = json.dumps({"name": entry.rpartition(":")[2], "entry": entry, "code": str(folder), **declared})
    (place / "flow.flex.yaml").write_text(text)
    return place / "flow.flex.yaml"
