"""Jinja templates of prompts, in a sandbox. Values are data: Jinja inside them stays text.

The sandbox keeps a template from Python's machinery; the limits keep one from eating the memory.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from opsloop.core.errors import InvalidInput
from opsloop.flows.formats.chat_prompt import PromptText, marked

PROMPT_LIMIT_CHARS = 50_000_000
PRODUCT_LIMIT = 10_000_000
QUICK_CHARS = 100_000
# Without these a template takes no longer than its values are long.
_SLOW = (nodes.For, nodes.Call, nodes.Filter, nodes.Test, nodes.BinExpr, nodes.Macro, nodes.Include, nodes.Import)


class TemplateFailed(InvalidInput):
    template = "template {file} cannot be rendered: {reason}"


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "%":
            if isinstance(left, str) and _WIDE.search(left):
                raise SecurityError("a field this wide")
            return super().call_binop(context, operator, left, right)
        sizes = [len(side) if hasattr(side, "__len__") else side for side in (left, right)]
        if not all(isinstance(size, int | float) for size in sizes):
            raise SecurityError(f"{operator} of these values")
        if operator == "**" and (abs(sizes[0]) > 1e6 or abs(sizes[1]) > 64):
            raise SecurityError("a power this large")
        if operator == "*" and abs(sizes[0] * sizes[1]) > PRODUCT_LIMIT and not _are_numbers(left, right):
            raise SecurityError("a product this large")
        return super().call_binop(context, operator, left, right)


# A width or precision of more than four digits, or one that a value gives.
_WIDE = re.compile(r"%[^%a-zA-Z]*(?:\d{5}|\*)")


def _are_numbers(*values: object) -> bool:
    return all(isinstance(value, int | float) for value in values)


SANDBOX = _Sandbox(trim_blocks=True, keep_trailing_newline=True, autoescape=False, finalize=marked)


class PromptTemplate:
    """A template of a flow, compiled once.

    Raises: TemplateFailed naming the file and line when it is no Jinja.
    """

    def __init__(self, text: str, *, file: str) -> None:
        self.file = file
        try:
            self._template: Template = SANDBOX.from_string(text)
            # As one dict: Jinja copies them for each rendering, and its own are a chain of two.
            self._template.globals = dict(self._template.globals)
            parsed = SANDBOX.parse(text)
            self.variables = meta.find_undeclared_variables(parsed)
            self._is_plain = next(parsed.find_all(_SLOW), None) is None
        except TemplateSyntaxError as error:
            raise TemplateFailed(file=f"{file}, line {error.lineno}", reason=error.message or "no Jinja") from None
        except RecursionError:
            raise TemplateFailed(file=file, reason="it is nested too deeply") from None

    @classmethod
    def read(cls, path: Path) -> PromptTemplate:
        try:
            return cls(path.read_text("utf-8-sig"), file=path.name)
        except UnicodeDecodeError as error:
            raise TemplateFailed(file=path.name, reason=f"byte {error.start} is no UTF-8 text") from None

    def is_quick_for(self, values: Mapping[str, Any]) -> bool:
        """Whether rendering takes some microseconds: no loops and calls, and short values whose text is their own."""
        if not self._is_plain:
            return False
        size = 0
        for name in self.variables:
            value = values.get(name)
            if isinstance(value, str):
                size += len(value)
            elif value is not None and type(value) not in (int, float, bool):
                return False
        return size <= QUICK_CHARS

    def render(self, values: Mapping[str, Any]) -> PromptText:
        """The prompt with the values in it. Raises: TemplateFailed."""
        parts, size = [], 0
        try:
            for part in self._template.generate(values):
                parts.append(part)
                size += len(part)
                if size > PROMPT_LIMIT_CHARS:
                    raise SecurityError(f"it grew over {PROMPT_LIMIT_CHARS} characters")
        except SecurityError as error:
            raise TemplateFailed(file=self.file, reason=f"the sandbox refuses {error}") from None
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise TemplateFailed(file=self.file, reason=f"{type(error).__name__}: {error}") from error
        return PromptText.from_marked("".join(parts))
