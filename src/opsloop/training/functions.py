"""A user's own function in a pipeline: it builds an estimator, or trains one by itself."""

from __future__ import annotations

import hashlib
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import Parameter, signature
from pathlib import Path
from types import ModuleType
from typing import Any

from opsloop.training.errors import FunctionBroke, PipelineInvalid
from opsloop.training.pipeline import Function, PipelineSpec
from opsloop.training.table import Array


@dataclass(frozen=True)
class Source:
    """A function with the text of its file, so that another process runs the same."""

    function: Function
    folder: Path
    text: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Of the file's text and the function's name."""
        return hashlib.sha256(f"{self.function.name}\n{self.text}".encode()).hexdigest()

    def estimator(self, overrides: Mapping[str, Any]) -> Any:
        """What the function builds. Raises: PipelineInvalid, FunctionBroke."""
        found = self._called(self._callable(), **{**self.parameters, **overrides})
        if not hasattr(found, "fit") or not hasattr(found, "predict"):
            raise PipelineInvalid(
                self.function.path, "a function that gives an estimator with fit and predict", value=found
            )
        return found

    def trained(self, overrides: Mapping[str, Any], X: Array, y: Array, weights: Array | None) -> Any:
        """What the function trained. Raises: PipelineInvalid, FunctionBroke."""
        called = self._callable()
        given = {**self.parameters, **overrides}
        if weights is not None:
            if not _takes(called, "sample_weight"):
                wanted = "a function with a parameter sample_weight, as the pipeline names a weight"
                raise PipelineInvalid(self.function.path, wanted, value=self.function.ref)
            given["sample_weight"] = weights
        found = self._called(called, X, y, **given)
        if not hasattr(found, "predict"):
            wanted = "a function of X and y that gives a fitted estimator with predict"
            raise PipelineInvalid(self.function.path, wanted, value=found)
        return found

    def check(self) -> None:
        """Raises: PipelineInvalid for a function that is not there or does not take the parameters; FunctionBroke."""
        called = self._callable()
        for name in self.parameters:
            if not _takes(called, name):
                known = list(signature(called).parameters)
                field = self.function.path.rpartition(".")[0]
                wanted = f"a parameter of {self.function.ref}: {', '.join(known)}"
                raise PipelineInvalid(f"{field}.parameters.{name}".lstrip("."), wanted, known=known, value=name)

    def _callable(self) -> Any:
        module = self._module()
        found = getattr(module, self.function.name, None)
        if not callable(found):
            known = [name for name, each in vars(module).items() if callable(each) and not name.startswith("_")]
            wanted = f"a function in {self.function.file}"
            raise PipelineInvalid(self.function.path, wanted, known=known, value=self.function.name)
        return found

    def _module(self) -> ModuleType:
        """The file's module, run once in a process; it imports its neighbours. Raises: FunctionBroke."""
        name = f"_opsloop_training_{self.digest[:16]}"
        if name in sys.modules:
            return sys.modules[name]
        module = ModuleType(name)
        path = self.folder / self.function.file
        module.__file__ = str(path)
        sys.modules[name] = module
        if str(path.parent) not in sys.path:
            sys.path.insert(0, str(path.parent))
        try:
            exec(compile(self.text, str(path), "exec"), module.__dict__)  # noqa: S102  # the user's own code, that they asked for
        except (Exception, SystemExit) as error:
            del sys.modules[name]
            raise FunctionBroke(
                function=self.function.ref, reason=_reason(error, self.folder / self.function.file)
            ) from error
        return module

    def _called(self, called: Any, *args: Any, **given: Any) -> Any:
        try:
            return called(*args, **given)
        except (Exception, SystemExit) as error:
            raise FunctionBroke(
                function=self.function.ref, reason=_reason(error, self.folder / self.function.file)
            ) from error


def source_of(spec: PipelineSpec) -> Source:
    """Raises: PipelineInvalid for a file that is not there."""
    assert spec.function is not None
    folder = (spec.folder or Path()).absolute()
    try:
        text = (folder / spec.function.file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        wanted = f"a Python file below {folder.name or folder}"
        raise PipelineInvalid(spec.function.path, wanted, value=spec.function.file) from error
    return Source(spec.function, folder, text, spec.parameters)


def _takes(called: Any, name: str) -> bool:
    parameters = signature(called).parameters
    return name in parameters or any(each.kind is Parameter.VAR_KEYWORD for each in parameters.values())


def _reason(error: BaseException, file: Path) -> str:
    """What was raised, and the line of the user's file that was on the way to it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    where = f" (line {frames[-1].lineno} of {file.name})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}{where}"
