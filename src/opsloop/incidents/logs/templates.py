"""Templates of log lines: `Connection from <*> closed` for every line that says so."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import eq
from typing import Any, Self

from opsloop.core.errors import InvalidInput
from opsloop.incidents.logs.fingerprint import fingerprint_of_masked
from opsloop.incidents.logs.masking import MARK, masked

MOST_SHAPES = 10_000
_MOST_TOKENS = 100
_VERSION = 1
_DELIMITERS = r"\s,;:=()\[\]{}\"'|"
_TOKENS = re.compile(rf"[^{_DELIMITERS}]+|[^\s{_DELIMITERS}]|[,;:=()\[\]{{}}\"'|]")
_VALUES = re.compile(rf"(?<=[\w.-]=)[^{_DELIMITERS}]+")
_DAY = re.compile(
    r"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b(?= *<\*>)"
)
_CHOICE = re.compile(r"(?<=[\s:])(?:true|false|null|True|False|None)\b")
_UNIT = re.compile(r"(?<=<\*>) (?:[KMGT]?i?B|[kKMGT]?bytes|ns|us|ms|s|secs?|seconds?|minutes?|hours?|days?)\b")
_BEFORE, _AFTER = re.compile(r" ([,;:=)\]}])"), re.compile(r"([(\[{=]) ")
_NAME = re.compile(r"[\w-]+(?:[./@][\w$-]+){2,}")

Tokens = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """What lines have in common.

    Args:
        id: fingerprint of its text.
        count: lines of it, >= 1.
        first_line: number of the first of them.
    """

    id: str
    text: str
    count: int
    first_line: int


@dataclass(slots=True)
class _Shape:
    text: str
    count: int
    first_line: int


class Miner:
    """Takes lines one by one and says which templates they came from; memory is bounded by `most_shapes`.

    Lines are counted by their masked text (a look-up, so that it is fast); templates are found among these few shapes
    when somebody asks. When there are too many shapes they give way to their templates.
    """

    def __init__(self, *, most_shapes: int = MOST_SHAPES) -> None:
        self._most = most_shapes
        self._shapes: dict[str, _Shape] = {}
        self._lines = 0
        self._places: dict[str, int] | None = None
        self._found: list[Template] = []
        self._fits: dict[int, list[tuple[Tokens, Template]]] | None = None

    def add(self, text: str, number: int | None = None) -> str:
        """Count a line. Returns its masked text, which `template_of` takes.

        Args: number: of the line; counted on when not given.
        """
        self._lines = self._lines + 1 if number is None else number
        key = masked(text)
        shape = self._shapes.get(key)
        if shape is None:
            if len(self._shapes) >= self._most:
                self._condense()
            self._shapes[key] = _Shape(key, 1, self._lines)
            self._places = None
        else:
            shape.count += 1
            self._places = None
        return key

    def templates(self) -> list[Template]:
        """In the order of their first lines."""
        self._mine()
        return list(self._found)

    def template_of(self, key: str) -> Template | None:
        """The template of a masked text that was added; None when it is none of those that are kept.

        Mines anew after each line that was added: ask when the lines are read.
        """
        place = self._mine().get(key)
        return self._fitting(_tokens(key)) if place is None else self._found[place]

    def _fitting(self, tokens: Tokens) -> Template | None:
        """The template that says most of these words, of those a condensed line can have gone into."""
        if self._fits is None:
            self._fits = defaultdict(list)
            for each in self._found:
                self._fits[len(words := _tokens(each.text))].append((words, each))
        best, most = None, -1
        for words, each in self._fits.get(len(tokens), ()):
            same = sum(map(eq, words, tokens))
            if same > most and all(a in (b, MARK) for a, b in zip(words, tokens, strict=True)):
                best, most = each, same
        return best

    def _mine(self) -> dict[str, int]:
        if self._places is None:
            shapes = list(self._shapes.values())
            groups = _grouped([_tokens(each.text) for each in shapes])
            groups.sort(key=lambda group: min(shapes[member].first_line for member in group.members))
            merged: dict[str, int] = {}
            self._found, self._places, self._fits = [], {}, None
            for group in groups:
                of = [shapes[member] for member in group.members]
                text = of[0].text if len(of) == 1 else group.text
                count, first = sum(each.count for each in of), min(each.first_line for each in of)
                place = merged.setdefault(text, len(self._found))
                if place == len(self._found):
                    self._found.append(Template(fingerprint_of_masked(text), text, count, first))
                else:
                    had = self._found[place]
                    self._found[place] = Template(had.id, text, had.count + count, min(had.first_line, first))
                self._places.update((each.text, place) for each in of)
        return self._places

    def _condense(self) -> None:
        """Keep the templates in place of shapes; when these alone are too many, the half that is seen most."""
        found = sorted(self.templates(), key=lambda each: each.count, reverse=True)[: max(1, self._most // 2)]
        self._shapes = {each.text: _Shape(each.text, each.count, each.first_line) for each in found}
        self._places = None

    def to_json(self) -> dict[str, Any]:
        shapes = [[each.text, each.count, each.first_line] for each in self._shapes.values()]
        return {"version": _VERSION, "lines": self._lines, "shapes": shapes}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], *, most_shapes: int = MOST_SHAPES) -> Self:
        """Raises: InvalidInput when it is no state of this version."""
        if content.get("version") != _VERSION:
            raise InvalidInput(f"a miner's state of version {content.get('version')!r} is not known, {_VERSION} is")
        made = cls(most_shapes=most_shapes)
        try:
            made._lines = int(content["lines"])
            made._shapes = {str(text): _Shape(str(text), int(n), int(at)) for text, n, at in content["shapes"]}
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput("a miner's state holds lines (a number) and shapes (text, count, first line)") from error
        return made


@dataclass(frozen=True, slots=True)
class _Group:
    members: list[int]
    text: str


def _tokens(text: str) -> Tokens:
    if MARK in text:
        text = _UNIT.sub("", _DAY.sub(MARK, text))
    text = _CHOICE.sub(MARK, text)
    if "=" in text:
        text = _VALUES.sub(MARK, text)
    tokens = (MARK if MARK in token else token for token in _TOKENS.findall(text))
    return _without_runs(list(islice(tokens, _MOST_TOKENS)))


def _without_runs(tokens: list[str]) -> Tokens:
    """Marks side by side are one mark: lists of numbers differ in length."""
    return tuple(token for at, token in enumerate(tokens) if token != MARK or at == 0 or tokens[at - 1] != MARK)


def _grouped(shapes: Sequence[Tokens]) -> list[_Group]:
    by_length = defaultdict[int, list[int]](list)
    for place, tokens in enumerate(shapes):
        by_length[len(tokens)].append(place)
    return [group for members in by_length.values() for group in _of_one_length(shapes, members)]


def _of_one_length(shapes: Sequence[Tokens], members: list[int]) -> Iterable[_Group]:
    """Groups by the longest combination of words that are equally common (the root of Brain's tree), then by the rest.

    Source: S. Yu, P. He, N. Chen, Y. Wu, Brain: log parsing with bidirectional parallel tree, IEEE TSC 16 (2023).
    """
    common = Counter((at, word) for member in members for at, word in enumerate(shapes[member]))
    roots = defaultdict[frozenset[tuple[int, str]], list[int]](list)
    for member in members:
        roots[_root(shapes[member], common)].append(member)
    for root, of in roots.items():
        yield from _split(shapes, of, {at for at, _ in root})


def _root(tokens: Tokens, common: Mapping[tuple[int, str], int]) -> frozenset[tuple[int, str]]:
    combos = defaultdict[int, list[tuple[int, str]]](list)
    for each in enumerate(tokens):
        if any(map(str.isalnum, each[1])):
            combos[common[each]].append(each)
    if not combos:
        return frozenset(enumerate(tokens))
    times = max(combos, key=lambda n: (len(combos[n]), n))
    return frozenset(combos[times])


def _split(shapes: Sequence[Tokens], members: list[int], fixed: set[int]) -> Iterable[_Group]:
    width = len(shapes[members[0]])
    words = [{shapes[member][at] for member in members} for at in range(width)]
    open_ = [at for at in range(width) if at not in fixed and len(words[at]) > 1 and not _varies(words[at])]
    if not open_:
        yield _Group(members, _joined(next(iter(each)) if len(each) == 1 else MARK for each in words))
        return
    at = min(open_, key=lambda each: len(words[each]))
    parts = defaultdict[str, list[int]](list)
    for member in members:
        parts[shapes[member][at]].append(member)
    for part in parts.values():
        yield from _split(shapes, part, fixed | {at})


def _joined(words: Iterable[str]) -> str:
    """Words and marks as a person would write them."""
    return _BEFORE.sub(r"\1", _AFTER.sub(r"\1", " ".join(words)))


def _varies(words: set[str]) -> bool:
    """More words than a sentence has choices, a mark among them, or names of hosts, classes and files."""
    return len(words) > 3 or MARK in words or all(map(_NAME.fullmatch, words))
