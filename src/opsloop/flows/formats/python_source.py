"""What a function or class takes and gives, read from its source: a flow is shown and checked without being run."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from opsloop.flows.errors import FlowInvalid, suggestion
from opsloop.flows.formats.fields import HISTORY, type_of
from opsloop.flows.models import Entry, FlowInput, ValueType

_Function = ast.FunctionDef | ast.AsyncFunctionDef

_TYPES = {
    "str": ValueType.STRING,
    "int": ValueType.INT,
    "float": ValueType.DOUBLE,
    "bool": ValueType.BOOL,
    "list": ValueType.LIST,
    "List": ValueType.LIST,
    "dict": ValueType.OBJECT,
    "Dict": ValueType.OBJECT,
    "Image": ValueType.IMAGE,
}


class Source:
    """The source of one module of a flow."""

    def __init__(self, tree: ast.Module, *, path: Path, file: str) -> None:
        self._tree = tree
        self._path = path
        self._file = file

    @classmethod
    def find(cls, folder: Path, module: str, *, file: str) -> Source | None:
        """The module of that dotted name in a folder; None when it is not there, but installed perhaps.

        Args:
            file: the flow's file, for the errors.
        Raises: FlowInvalid when it is no Python.
        """
        base = folder.joinpath(*module.split("."))
        path = next((each for each in (base.with_suffix(".py"), base / "__init__.py") if each.is_file()), None)
        if path is None:
            return None
        try:
            return cls(ast.parse(path.read_bytes()), path=path, file=file)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None)
            wanted = f"Python that can be read ({error if line is None else f'line {line}: {error.args[0]}'})"
            raise FlowInvalid(file=file, field="entry", value=path.name, wanted=wanted) from None

    def described(self, entry: Entry) -> Entry:
        """The entry with what its source says of it. Raises: FlowInvalid when the source does not have it."""
        found = self._named(entry.name)
        if found is None:
            if entry.name in self._bound():
                return entry  # imported or assigned: known once it is loaded
            names = [each.name for each in self._tree.body if isinstance(each, ast.ClassDef | _Function)]
            wanted = f"a function or class of {self._path.name}{suggestion(entry.name, names)}"
            raise FlowInvalid(file=self._file, field="entry", value=str(entry), wanted=wanted)
        if isinstance(found, _Function):
            return entry
        made = self._method(found, "__init__")
        return replace(
            entry,
            is_class=True,
            has_aggregate=self._method(found, "__aggregate__") is not None,
            init={} if made is None else _parameters(made, skip=1),
        )

    def inputs(self, entry: Entry) -> dict[str, FlowInput]:
        """What it takes for each row."""
        function = self._called(entry)
        return {} if function is None else _parameters(function, skip=int(entry.is_class))

    def outputs(self, entry: Entry) -> list[str]:
        """The names of what it gives, where its annotation is a class of this module with fields."""
        function = self._called(entry)
        annotation = function.returns if function is not None else None
        kind = self._named(_name(annotation)) if annotation is not None else None
        if not isinstance(kind, ast.ClassDef):
            return []
        fields = [each.target for each in kind.body if isinstance(each, ast.AnnAssign)]
        return [each.id for each in fields if isinstance(each, ast.Name)]

    def _called(self, entry: Entry) -> _Function | None:
        found = self._named(entry.name)
        if isinstance(found, ast.ClassDef):
            return self._method(found, "__call__")
        return found

    def _named(self, name: str) -> _Function | ast.ClassDef | None:
        found: list[_Function | ast.ClassDef] = [
            each for each in self._tree.body if isinstance(each, ast.ClassDef | _Function) and each.name == name
        ]
        return found[-1] if found else None

    def _method(self, kind: ast.ClassDef, name: str) -> _Function | None:
        """A method of a class, or of a base of it in the same module."""
        own: list[_Function] = [each for each in kind.body if isinstance(each, _Function) and each.name == name]
        if own:
            return own[-1]
        bases = [self._named(_name(base)) for base in kind.bases]
        inherited = [self._method(base, name) for base in bases if isinstance(base, ast.ClassDef) and base is not kind]
        return next((each for each in inherited if each is not None), None)

    def _bound(self) -> set[str]:
        """Names that the module imports or assigns."""
        names: set[str] = set()
        for each in ast.walk(self._tree):
            if isinstance(each, ast.Import | ast.ImportFrom):
                names.update(alias.asname or alias.name.partition(".")[0] for alias in each.names)
            elif isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                names.add(each.id)
        return names


def _parameters(function: _Function, *, skip: int) -> dict[str, FlowInput]:
    """Args:
    skip: leading parameters that the caller does not give: `self`.
    """
    arguments = function.args
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults: Sequence[ast.expr | None] = [*[None] * (len(plain) - len(arguments.defaults)), *arguments.defaults]
    taken = list(zip(plain, defaults, strict=True))[skip:] + list(
        zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    )
    return {each.arg: _parameter(each, default) for each, default in taken}


def _parameter(each: ast.arg, default: ast.expr | None) -> FlowInput:
    is_history = each.arg == HISTORY
    value, in_code = None, False
    if default is not None:
        try:
            value = ast.literal_eval(default)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            in_code = True
    type = _type(each.annotation)
    if type is ValueType.ANY and value is not None:
        type = type_of(value)
    has_default = default is not None or is_history
    if is_history and value is None:
        value = []
    return FlowInput(each.arg, type, has_default, value, is_chat_history=is_history, default_in_code=in_code)


def _type(annotation: ast.expr | None) -> ValueType:
    if annotation is None:
        return ValueType.ANY
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return _type(ast.parse(annotation.value, mode="eval").body)
        except SyntaxError:
            return ValueType.ANY
    if isinstance(annotation, ast.BinOp):  # `str | None`
        return _one_of([annotation.left, annotation.right])
    if isinstance(annotation, ast.Subscript):
        inner = annotation.slice
        if _name(annotation.value) in ("Optional", "Union"):
            return _one_of(list(inner.elts) if isinstance(inner, ast.Tuple) else [inner])
    return _TYPES.get(_name(annotation), ValueType.ANY)


def _one_of(parts: Sequence[ast.expr]) -> ValueType:
    """The type of a choice, when all of it but None is one."""
    types = {_type(part) for part in parts if not (isinstance(part, ast.Constant) and part.value is None)}
    return types.pop() if len(types) == 1 else ValueType.ANY


def _name(node: ast.expr) -> str:
    """`list` of `list[str]`, `Result` of `module.Result`."""
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return node.id if isinstance(node, ast.Name) else ""
