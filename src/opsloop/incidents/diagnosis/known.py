"""Known causes, read from data files: ours, and the folders that a team names."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.incidents.diagnosis import signatures
from opsloop.incidents.diagnosis.marks import Mark

OURS = Path(signatures.__path__[0])
_FIELD = re.compile(r"\{(\w+)\}")
VALUE_CHARS = 200
NEEDED = ("name", "pattern", "category", "root_cause", "fix", "confirm", "examples")
OPTIONAL = ("flaky", "patch")
BYTES = 1_000_000
# What a team's entry weighs as a mark: it was written for logs like this one.
TEAM_WEIGHT = 9.7


@dataclass(frozen=True, slots=True)
class Signature:
    """Args:
    root_cause, fix, confirm: texts in which `{group}` stands for a group of the pattern and `{line}` for the line.
    patch: the kind of repair that may mend it, of `patches/`.
    """

    name: str
    pattern: re.Pattern[str]
    category: str
    root_cause: str
    fix: tuple[str, ...]
    confirm: str
    examples: tuple[str, ...]
    flaky: bool = False
    patch: str | None = None
    is_team: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    signature: Signature
    groups: dict[str, str]

    def fill(self, text: str) -> str:
        """Values are put in as they are; what looks like a field inside a value stays text."""
        return " ".join(_FIELD.sub(lambda found: self.groups.get(found[1], ""), text).split()).replace(" :", ":")


def match(text: str, known: Sequence[Signature]) -> Match | None:
    """The first signature that fits a line."""
    for each in known:
        if found := each.pattern.search(text):
            groups = {"line": text.strip()[:VALUE_CHARS]}
            for name, value in found.groupdict().items():
                if value:
                    groups.setdefault(re.sub(r"\d$", "", name), value[:VALUE_CHARS])
            return Match(each, groups)
    return None


@functools.cache
def ours() -> tuple[Signature, ...]:
    return tuple(_read(OURS, is_team=False))


def with_team(folders: Iterable[Path]) -> tuple[Signature, ...]:
    """A team's first, then ours. Raises: InvalidInput with the file and the entry that is wrong."""
    found = [each for folder in folders for each in _read(folder, is_team=True)]
    return (*found, *ours())


def marks_of(known: Iterable[Signature]) -> tuple[Mark, ...]:
    return tuple(Mark(each.pattern, TEAM_WEIGHT) for each in known if each.is_team)


def _read(folder: Path, *, is_team: bool) -> Iterable[Signature]:
    from ruamel.yaml import YAML  # 30 ms that `--help` does without
    from ruamel.yaml.error import YAMLError

    if not folder.is_dir():
        raise InvalidInput(field="signatures", value=str(folder), wanted="a folder with .yaml files of signatures")
    for file in sorted(folder.glob("*.yaml")):
        if file.stat().st_size > BYTES:
            raise InvalidInput(field=str(file), wanted=f"a file of at most {BYTES:,} bytes")
        try:
            entries = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        except (YAMLError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{file}: not YAML: {str(error).splitlines()[0]}", field=str(file)) from error
        if not isinstance(entries, list):
            raise InvalidInput(field=str(file), wanted="a list of signatures")
        for place, entry in enumerate(entries):
            yield _signature(entry, f"{file}[{place}]", is_team=is_team)


def _signature(entry: Any, where: str, *, is_team: bool) -> Signature:
    if not isinstance(entry, dict) or any(name not in entry for name in NEEDED):
        raise InvalidInput(field=where, wanted=f"a mapping with {', '.join(NEEDED)}")
    if extra := sorted(set(entry) - {*NEEDED, *OPTIONAL}, key=str):
        raise InvalidInput(field=f"{where}.{extra[0]}", wanted=f"one of {', '.join((*NEEDED, *OPTIONAL))}")
    for name in ("fix", "examples"):
        if not isinstance(entry[name], list) or not all(isinstance(each, str) for each in entry[name]):
            raise InvalidInput(field=f"{where}.{name}", value=entry[name], wanted="a list of texts")
    try:
        pattern = re.compile(str(entry["pattern"]))
    except re.error as error:
        raise InvalidInput(field=f"{where}.pattern", value=entry["pattern"], wanted=f"a pattern: {error}") from error
    found = Signature(
        name=str(entry["name"]),
        pattern=pattern,
        category=str(entry["category"]),
        root_cause=str(entry["root_cause"]),
        fix=tuple(entry["fix"]),
        confirm=str(entry["confirm"]),
        examples=tuple(entry["examples"]),
        flaky=bool(entry.get("flaky", False)),
        patch=str(entry["patch"]) if entry.get("patch") else None,
        is_team=is_team,
    )
    for example in found.examples:
        if not pattern.search(example):
            raise InvalidInput(field=f"{where}.examples", value=example, wanted="a line that its pattern fits")
    return found
