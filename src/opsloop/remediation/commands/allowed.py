"""One allowed command: its words, and the form of each value in them.

A value is put into one word and stays in it; there is no shell that could take it apart. It has to match its pattern
as a whole. One that begins with a dash could be read as an option, so it is refused unless the pattern itself begins
with a dash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, model_validator

from opsloop.core.errors import InvalidInput

LONGEST_VALUE, MOST_WORDS = 200, 100
_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_PROGRAM = re.compile(r"/[^\0\s{}]*|[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclass(frozen=True, slots=True)
class Call:
    """An allowed command with its values."""

    name: str
    values: dict[str, str]


class AllowedCommand(BaseModel):
    """What the setting `remediation_commands` says of one command.

    Args:
        argv: the program and its words; `{unit}` in a word after the first is the value of a parameter.
        parameters: regular expressions, by name, that the values match as a whole.
        undo: words that take it back, with the same parameters; empty: nothing does.
        dry_run: words that tell what it would do and change nothing.
        timeout_s: after that it is ended with all that it started.
        memory_bytes: address space that each of its processes may have.
        destroys: whether it deletes what cannot be had again; a person decides every time then.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    argv: list[str] = Field(min_length=1, max_length=MOST_WORDS)
    parameters: dict[str, str] = {}
    undo: list[str] = Field([], max_length=MOST_WORDS)
    dry_run: list[str] = Field([], max_length=MOST_WORDS)
    timeout_s: float = Field(60, gt=0, le=3_600)
    memory_bytes: int = Field(1 << 30, ge=1 << 24)
    destroys: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> AllowedCommand:
        for name, pattern in self.parameters.items():
            if _PLACE.fullmatch(f"{{{name}}}") is None:
                raise ValueError(f"parameter {name!r} is to be named in lower case letters, digits and underscores")
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"the pattern of parameter {name} is no regular expression: {error}") from None
        for field, words in (("argv", self.argv), ("undo", self.undo), ("dry_run", self.dry_run)):
            self._check(field, words)
        if unused := sorted(set(self.parameters) - set(_names(self.argv))):
            raise ValueError(f"parameter {unused[0]} is in no word of argv")
        return self

    def _check(self, field: str, words: Sequence[str]) -> None:
        if words and _PROGRAM.fullmatch(words[0]) is None:
            raise ValueError(f"{field} begins with {words[0]!r}; wanted the name of a program or its whole path")
        if any("\0" in word for word in words):
            raise ValueError(f"{field} holds a NUL")
        if unknown := sorted(set(_names(words)) - set(self.parameters)):
            raise ValueError(f"{field} names {{{unknown[0]}}}, which is no parameter")

    def check(self, values: Mapping[str, str], *, where: str = "command") -> None:
        """Raises: InvalidInput naming the first value that is missing, too much or of another form."""
        for name in sorted({*self.parameters, *values}):
            field = f"{where}: {name}"
            if name not in self.parameters:
                raise InvalidInput(field=field, value=values[name], wanted="nothing, for it is no parameter of it")
            if name not in values:
                raise InvalidInput(
                    f"{field}: is missing; wanted a text that matches {self.parameters[name]}", field=name
                )
            if not self.takes(name, values[name]):
                wanted = (
                    f"a text on one line of at most {LONGEST_VALUE} characters that matches {self.parameters[name]}"
                )
                raise InvalidInput(field=field, value=values[name], wanted=wanted)

    def takes(self, name: str, value: str) -> bool:
        """Whether a value may stand where the parameter does."""
        pattern = self.parameters[name]
        is_option = value.startswith("-") and not pattern.removeprefix("^").removeprefix("\\").startswith("-")
        is_plain = (value.isprintable() and value.isascii()) or (value.isprintable() and _is_text(value))
        return is_plain and not is_option and len(value) <= LONGEST_VALUE and re.fullmatch(pattern, value) is not None

    def words(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """The command. Raises: InvalidInput."""
        return self._filled(self.argv, values)

    def undo_words(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Empty without an undo. Raises: InvalidInput."""
        return self._filled(self.undo, values)

    def dry_run_words(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Empty without a dry run. Raises: InvalidInput."""
        return self._filled(self.dry_run, values)

    def values_of(self, words: Sequence[str]) -> dict[str, str] | None:
        """The values with which `words` would be exactly those; None when there are none."""
        if len(words) != len(self.argv):
            return None
        found: dict[str, str] = {}
        for template, word in zip(self.argv, words, strict=True):
            matched = _form(template).fullmatch(word)
            if matched is None:
                return None
            for name, value in matched.groupdict().items():
                if found.setdefault(name, value) != value:
                    return None
        if not all(self.takes(name, value) for name, value in found.items()):
            return None
        return found if self.words(found) == tuple(words) else None

    def _filled(self, template: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
        self.check(values)
        return tuple(_PLACE.sub(lambda place: values[place[1]], word) for word in template)


def _is_text(value: str) -> bool:
    """Without half a pair of surrogates, which no program can be given."""
    return not any("\ud800" <= each <= "\udfff" for each in value)


def _names(words: Sequence[str]) -> list[str]:
    return [name for word in words for name in _PLACE.findall(word)]


def _form(template: str) -> re.Pattern[str]:
    parts, at, seen = [], 0, set[str]()
    for place in _PLACE.finditer(template):
        parts.append(re.escape(template[at : place.start()]))
        parts.append(f"(?P={place[1]})" if place[1] in seen else f"(?P<{place[1]}>.*)")
        seen.add(place[1])
        at = place.end()
    return re.compile("".join(parts) + re.escape(template[at:]), re.DOTALL)
