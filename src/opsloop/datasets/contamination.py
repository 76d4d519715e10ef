"""Whether golden rows stand in training data, prompts or examples: then what they measure is memory.

A cell of a row is compared word by word, whatever its case, spacing and marks. It counts as found in one row of another
dataset, or in one file, when at least THRESHOLD of its sequences of LONGEST words stand there too (A. Chowdhery et al.,
PaLM, 2022, section 8: 70 % of 8-grams; T. Brown et al., Language Models are Few-Shot Learners, 2020, appendix C,
compare n-grams of 8 to 13 words). A cell of fewer words has to stand there whole; below SHORTEST it tells nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import service as datasets
from opsloop.datasets.contamination_models import Contaminated, ContaminationReport, Passage
from opsloop.datasets.models import DatasetVersion

LONGEST, SHORTEST = 8, 4
THRESHOLD = 0.7
SHOWN = 500
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class _Cell:
    row: int
    column: str
    words: tuple[str, ...]
    grams: int


def check(
    dataset: str,
    golden: Iterable[Mapping[str, Any]],
    rows: Mapping[str, Iterable[Mapping[str, Any]]],
    texts: Sequence[Passage],
    *,
    threshold: float = THRESHOLD,
) -> ContaminationReport:
    """Look for golden rows in the rows of other datasets, by their names, and in texts."""
    if not 0 < threshold <= 1:
        raise InvalidInput(field="threshold", value=threshold, wanted="a share above 0 and at most 1")
    index = _Index()
    judged = short = 0
    for number, row in enumerate(golden, start=1):
        is_judged = index.add(number, row)
        judged, short = judged + is_judged, short + (not is_judged)
    found = [each for source, others in rows.items() for each in index.in_rows(source, others, threshold)]
    found += [each for text in texts for each in index.in_text(text, threshold)]
    found.sort(key=lambda each: (each.row, not each.exact, -each.share))
    return ContaminationReport(
        dataset=dataset,
        judged=judged,
        short=short,
        rows=len({each.row for each in found}),
        threshold=threshold,
        sources=(*rows, *(text.file for text in texts)),
        found=tuple(found[:SHOWN]),
    )


def check_versions(
    uow: UnitOfWork,
    golden: DatasetVersion,
    others: Sequence[DatasetVersion],
    texts: Sequence[Passage],
    *,
    threshold: float = THRESHOLD,
) -> ContaminationReport:
    """The same for registered versions. Raises: InvalidInput, ArtifactMissing, ExtraNeeded."""
    if not others and not texts:
        raise InvalidInput(field="against", value=[], wanted="datasets, or texts such as the prompts of a flow")
    rows = {other.ref: datasets.rows(uow, other) for other in others}
    return check(golden.ref, datasets.rows(uow, golden), rows, texts, threshold=threshold)


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared."""
    plain = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return _WORD.findall(plain)


class _Index:
    """The sequences of words of golden cells; others are read past it once."""

    def __init__(self) -> None:
        self._cells: list[_Cell] = []
        # By length: a sequence as text, and the cells that hold it.
        self._grams: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        # Their first words and the second ones after each: most places are told apart by these two alone.
        self._first: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))

    def add(self, row: int, values: Mapping[str, Any]) -> bool:
        """Take the cells of a golden row that are long enough; whether there was one."""
        before = len(self._cells)
        for column, text in _texts(values):
            words = words_of(text)
            size = min(len(words), LONGEST)
            if size < SHORTEST:
                continue
            grams = set(_grams(words, size))
            for gram in grams:
                self._grams[size][gram].append(len(self._cells))
                first, second, *_ = gram.split(" ", 2)
                self._first[size][first].add(second)
            self._cells.append(_Cell(row, column, tuple(words), len(grams)))
        return len(self._cells) > before

    def in_rows(self, source: str, rows: Iterable[Mapping[str, Any]], threshold: float) -> Iterator[Contaminated]:
        for number, row in enumerate(rows, start=1):
            for _, text in _texts(row):
                words = words_of(text)
                for cell, share, _ in self._shares(words, threshold):
                    exact = _stands_in(cell.words, words)
                    yield Contaminated(cell.row, cell.column, source, number, False, share, exact)

    def in_text(self, passage: Passage, threshold: float) -> Iterator[Contaminated]:
        words, lines = [], []
        for number, line in enumerate(passage.text.splitlines(), start=1):
            found = words_of(line)
            words += found
            lines += [number] * len(found)
        for cell, share, first in self._shares(words, threshold):
            exact = _stands_in(cell.words, words)
            yield Contaminated(cell.row, cell.column, passage.file, lines[first], True, share, exact)

    def _shares(self, words: Sequence[str], threshold: float) -> Iterator[tuple[_Cell, float, int]]:
        """Cells whose share is at least the threshold, with the place of the first word that is theirs."""
        found: dict[int, set[str]] = defaultdict(set)
        first: dict[int, int] = {}
        for size, grams in self._grams.items():
            starts = self._first[size]
            for at, word in enumerate(words[: max(0, len(words) - size + 1)]):
                if word not in starts or words[at + 1] not in starts[word]:
                    continue
                gram = " ".join(words[at : at + size])
                for number in grams.get(gram, ()):
                    found[number].add(gram)
                    first.setdefault(number, at)
        for number, there in found.items():
            share = len(there) / self._cells[number].grams
            if share >= threshold:
                yield self._cells[number], share, first[number]


def _texts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts of a row, those inside lists and objects too, such as the turns of a chat."""
    for column, value in values.items():
        yield from ((column, text) for text in _texts_in(value))


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts_in(each)


def _grams(words: Sequence[str], size: int) -> Iterator[str]:
    return (" ".join(words[at : at + size]) for at in range(len(words) - size + 1))


def _stands_in(cell: Sequence[str], words: Sequence[str]) -> bool:
    return f" {' '.join(cell)} " in f" {' '.join(words)} "
