"""What a failed run prints and a healthy one does not."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Self
from zlib import crc32

from opsloop.core.errors import InvalidInput
from opsloop.incidents.logs.fingerprint import fingerprint_of_masked
from opsloop.incidents.logs.lines import Line
from opsloop.incidents.logs.masking import masked

MOST_SHAPES = 50_000
ALIKE = 0.6
_MOST_TOKENS = 64
_MOST_COMPARED = 500
_WORD = re.compile(r"[A-Za-z]{2,}|[^\W\d_A-Za-z]+")
_WORDS_OF_FAILURE = (
    *("abort", "aborted", "cannot", "crash", "crashed", "denied", "died", "error", "errors", "exception", "fail"),
    *(
        "failed",
        "failing",
        "fails",
        "failure",
        "failures",
        "fatal",
        "killed",
        "missing",
        "panic",
        "refused",
        "rejected",
    ),
    *("segfault", "timeout", "traceback", "unable"),
)
# 1: fingerprints with checksums of words.
_VERSION = 1


class Novel(NamedTuple):
    """A line that no healthy run printed.

    Args: score: over 0 to 1; 1 less the likeness (Jaccard index of words) to the nearest healthy line.
    """

    line: Line
    fingerprint: str
    score: float


class Baseline:
    """What healthy runs of one job and step print. Holds checksums, never text, so no secret is kept with it."""

    def __init__(self) -> None:
        self.runs = 0
        self._shapes: dict[str, frozenset[int]] = {}
        self._postings: dict[int, list[str]] | None = None

    @classmethod
    def of(cls, lines: Iterable[Line | str]) -> Self:
        """The baseline of one healthy run; of more than 50,000 kinds of lines the first count."""
        made = cls()
        made.runs = 1
        for line in lines:
            template = masked(line if isinstance(line, str) else line.text)
            shape = fingerprint_of_masked(template)
            if shape not in made._shapes and len(made._shapes) < MOST_SHAPES:
                made._shapes[shape] = words_of(template)
        return made

    def merged(self, *others: Baseline) -> Baseline:
        """What any of them prints."""
        made = Baseline()
        for each in (self, *others):
            made.runs += each.runs
            for shape, words in each._shapes.items():
                if len(made._shapes) >= MOST_SHAPES:
                    break
                made._shapes.setdefault(shape, words)
        return made

    def __len__(self) -> int:
        return len(self._shapes)

    def __contains__(self, shape: object) -> bool:
        """Whether a healthy run printed a line of this fingerprint."""
        return shape in self._shapes

    def likeness(self, words: frozenset[int]) -> float:
        """Jaccard index of these words and those of the nearest healthy line; under `ALIKE` it may be a little less.

        A healthy line that lacks a word of failure that is among these words is not near, however alike it is.
        Only lines that share one of the rarest words can be alike enough, so only they are compared (prefix filter).
        Source: R. J. Bayardo, Y. Ma, R. Srikant, Scaling up all pairs similarity search, WWW 2007, 131-140.
        """
        if not words:
            return 1.0
        postings = self._indexed()
        rarest = sorted(words, key=lambda word: len(postings.get(word, ())))
        best, seen = 0.0, set[str]()
        alarming = words & _ALARMING
        for word in rarest[: len(words) - math.ceil(ALIKE * len(words)) + 1]:
            for shape in postings.get(word, ()):
                if shape in seen:
                    continue
                if len(seen) >= _MOST_COMPARED:
                    return best
                seen.add(shape)
                other = self._shapes[shape]
                if not alarming <= other:
                    continue
                shared = len(words & other)
                best = max(best, shared / (len(words) + len(other) - shared))
                if best == 1.0:
                    return best
        return best

    def _indexed(self) -> dict[int, list[str]]:
        if self._postings is None:
            postings = defaultdict[int, list[str]](list)
            for shape, words in self._shapes.items():
                for word in words:
                    postings[word].append(shape)
            self._postings = dict(postings)
        return self._postings

    def to_json(self) -> dict[str, Any]:
        return {
            "version": _VERSION,
            "runs": self.runs,
            "shapes": {shape: sorted(words) for shape, words in self._shapes.items()},
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Raises: InvalidInput when it is no baseline of this version."""
        if content.get("version") != _VERSION:
            raise InvalidInput(f"a baseline of version {content.get('version')!r} is not known, {_VERSION} is")
        made = cls()
        try:
            made.runs = int(content["runs"])
            made._shapes = {str(shape): frozenset(map(int, words)) for shape, words in content["shapes"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput("a baseline holds runs (a number) and shapes (fingerprints with numbers)") from error
        return made


def _checksum(word: str) -> int:
    return crc32(word.encode("utf-8", "replace"))


_ALARMING = frozenset(map(_checksum, _WORDS_OF_FAILURE))


def words_of(template: str) -> frozenset[int]:
    """Checksums of a masked line's words in small letters; of the first 64."""
    words = _WORD.findall(template.lower())[:_MOST_TOKENS]
    return frozenset(map(_checksum, words))


def novel(lines: Iterable[Line], baseline: Baseline, *, repeats: bool = False) -> Iterator[Novel]:
    """The lines that no healthy run printed, in their order; neither word for word (masked) nor nearly so.

    Args: repeats: give a line again whose masked text was given before.
    """
    judged: dict[str, float] = {}
    for line in lines:
        template = masked(line.text)
        shape = fingerprint_of_masked(template)
        if shape in baseline:
            continue
        score = judged.get(shape)
        if score is not None and not repeats:
            continue
        if score is None:
            score = 1 - baseline.likeness(words_of(template))
            if len(judged) < MOST_SHAPES:
                judged[shape] = score
        if score > 1 - ALIKE:
            yield Novel(line, shape, score)
