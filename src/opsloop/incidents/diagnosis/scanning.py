"""One pass over a log: the telling lines, the steps, the system that wrote it. Memory does not grow with the log."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from opsloop.incidents.diagnosis import frameworks, systems
from opsloop.incidents.diagnosis.healthy import form_of
from opsloop.incidents.diagnosis.marks import Mark
from opsloop.incidents.diagnosis.provider import Provider
from opsloop.incidents.diagnosis.reading import clean, lines_of
from opsloop.incidents.diagnosis.regions import Regions

# Of each form of telling line, as many from the start and from the end are kept.
KEPT = 40
NOVEL_KEPT = 200
PROVIDER_LINES = 400
FORMS = 20_000
# The longest private keys have about 60 lines.
KEY_LINES = 80
CODE_DIGITS = 10
# Kept of a telling line, so that a secret that goes on beyond what is shown is known as one.
RAW_BYTES = 4096
_NUMBERS = re.compile(r"[1-9]\d*|0\d+")

# In small letters, and each begins with a letter of its own, so that the search skips quickly.
# A line without any of these is none of the frameworks'; each mark has one of them in every line that it finds.
_TELLING = re.compile(
    rb"fail|err|excep|fatal|panic|abort|crash|kill|terminat|denied|not found|no such|cannot|could not|couldn|unable"
    rb"|timed? ?out|timeout"
    rb"|unbound|unsupported|unrecognized|named-value|no image label|brownout"
    rb"|unexpected|unknown|undefined|refused|backoff|oom|insufficient|quota|shutdown|cancel|core dump"
    rb"|expected|mismatch|operation|stdout ----|sanitizer|spec\w*\."
    rb"|segmentation|no space|memory|resolv|x509|certificate|provides|problem|no match|missing|not ok|bail out|race"
    rb"|hook|took >|dirty|lint for|went wrong|no output|exceed|e: |conflict|\.go:\d|_test|toomany|no solution|token"
    rb"|\.(?:java|kts?|groovy|scala):|on \S+\.tf|with \S+\.tf|e   |___|\xe2\x97\x8f|\xe2\x9c|\xc3\x97|\) "
)
_NOISE = re.compile(
    r"\b0 (?:errors?|fail\w*)\b|\b(?:[Ee]rrors?|[Ff]ail\w*)[:=] ?0\b|no errors|^\s*[✓✔√]|^ok \d|\bPASS(?:ED)?\b"
    r"|^(?:Get:|Setting up|Unpacking|Selecting|Preparing|Download\w*|Collecting|Requirement already|Using cached"
    r"|Installing)"
    r"|^(?:\+|\$|\[command\]|##\[(?:group|command|debug)\]|export|echo|set) ?"
    r"|continue-on-error|fail-fast|--fail|-Werror"
    r"|^\s*(?:\[INFO\]|INFO\b|DEBUG|\[DEBUG\])|^(?:inflating|creating|adding|copying|x|Building|Compiling|Checking) "
)
_WARNING = re.compile(r"(?i)\bwarn(?:ing)?\b|deprecat|npm notice|vulnerab|\bretry")
_SUCCESS = re.compile(
    r"^Done\. Your build exited with 0|^Finished: SUCCESS|^Job succeeded|^BUILD SUCCESS|^\[INFO\] BUILD SUCCESS"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A telling line.

    Args:
        weight: of its mark, less what makes it look like noise.
        raw: the line as the log has it.
    """

    line: int
    text: str
    weight: float
    mark: Mark | None
    is_new: bool
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a step stands in the log.

    Args:
        end: the line that says that it failed.
        raw: the line that names it, as the log has it.
    """

    name: str | None
    start: int
    end: int
    exit_code: int | None
    raw: bytes = b""


@dataclass(slots=True)
class Scan:
    found: list[Found] = field(default_factory=list)
    provider: str = "plain"
    failed: list[Step] = field(default_factory=list)
    succeeded: bool = False
    lines: int = 0


@functools.cache
def all_marks() -> tuple[Mark, ...]:
    """Of every framework, the heaviest first: the first that fits is a line's."""
    names = sorted(each.name for each in pkgutil.iter_modules(frameworks.__path__))
    marks = [each for name in names for each in importlib.import_module(f"{frameworks.__name__}.{name}").MARKS]
    return tuple(sorted(marks, key=lambda each: -each.weight))


def weigh(text: str, extra: tuple[Mark, ...] = ()) -> tuple[float, Mark | None]:
    """How much a line tells, and by which mark."""
    best = next((each for each in extra if each.pattern.search(text)), None)
    if best is None:
        best = next((each for each in all_marks() if each.pattern.search(text)), None)
    if best is None:
        return 0.0, None
    weight = best.weight
    if weight < 8 or best.weight < 9.5:
        if _NOISE.search(text):
            weight -= 4 if weight < 9 else 2
        elif _WARNING.search(text):
            weight -= 3
    return weight, best


def scan(
    blocks: Iterable[bytes],
    *,
    named: str | None = None,
    healthy: frozenset[str] | None = None,
    extra: tuple[Mark, ...] = (),
    around: Regions | None = None,
) -> Scan:
    """One pass. Lines of a private key are passed over.

    Args:
        named: the provider, when the caller knows it.
        extra: marks of signatures, tried before the frameworks'.
        around: takes the lines around the telling ones.
    """
    providers = [each for each in systems.known().values() if each.name != "plain"]
    chosen = systems.known()[named] if named else None
    votes: Counter[str] = Counter()
    steps = {each.name: _Steps(each) for each in ([chosen] if chosen else systems.known().values())}
    first: dict[int, list[Found]] = defaultdict(list)
    last: dict[int, deque[Found]] = defaultdict(lambda: deque(maxlen=KEPT))
    seen = Scan()
    novel = 0
    weighed: dict[str, tuple[float, Mark | None]] = {}
    key_ends = 0
    for number, raw in lines_of(blocks):
        seen.lines = number
        if number <= key_ends:
            key_ends = 0 if b"-----END" in raw else key_ends
            continue
        if b"PRIVATE KEY" in raw and (begun := raw.rfind(b"-----BEGIN")) > raw.rfind(b"-----END") and begun >= 0:
            key_ends = number + KEY_LINES
        if around is not None:
            around.take(number, raw)
        is_early = chosen is None and number <= PROVIDER_LINES
        is_telling = _TELLING.search(raw.lower()) is not None
        if not is_early and not is_telling and healthy is None and not extra and not _may_be_step(raw):
            continue
        text = clean(raw)
        if is_early:
            votes.update(each.name for each in providers if each.known_by.search(text))
        for each in steps.values():
            if each.take(number, text, raw) and around is not None:
                around.ends_step(number)
        if not seen.succeeded and _SUCCESS.search(text):
            seen.succeeded = True
        weight, found_by = _weighed(text, extra, weighed) if is_telling or extra else (0.0, None)
        is_new = healthy is not None and form_of(text) not in healthy
        if found_by is None and is_new and text.strip() and novel < NOVEL_KEPT:
            novel += 1
            weight = 0.5
        if weight <= 0:
            continue
        key = id(found_by)
        one = Found(number, text, weight, found_by, is_new, raw[:RAW_BYTES])
        if around is not None:
            around.tells(number, weight + is_new)
        if len(first[key]) < KEPT:
            first[key].append(one)
        else:
            last[key].append(one)
    seen.provider = chosen.name if chosen else votes.most_common(1)[0][0] if votes else "plain"
    seen.failed = steps[seen.provider].failed or (steps["plain"].failed if "plain" in steps else [])
    seen.found = [one for each in first.values() for one in each] + [one for each in last.values() for one in each]
    seen.found.sort(key=lambda each: each.line)
    return seen


def _weighed(
    text: str, extra: tuple[Mark, ...], weighed: dict[str, tuple[float, Mark | None]]
) -> tuple[float, Mark | None]:
    """As `weigh`; lines that differ in numbers alone are weighed once. A lone 0 stays: `0 errors` is no error."""
    form = _NUMBERS.sub("#", text)
    if (known := weighed.get(form)) is None:
        known = weigh(text, extra)
        if len(weighed) < FORMS and len(form) < 500:
            weighed[form] = known
    return known


def _may_be_step(raw: bytes) -> bool:
    head = raw[:60].lstrip()
    return b"##[" in head or b"travis_" in head or b"$ " in head or head[:1] in b"[#SNBDJF" or b"xit" in raw[:400]


class _Steps:
    """Follows one provider's steps; only those that failed are kept, 20 at most."""

    def __init__(self, of: Provider) -> None:
        self._of = of
        self._start = 1
        self._name: str | None = None
        self._raw = b""
        self.failed: list[Step] = []

    def take(self, number: int, text: str, raw: bytes) -> bool:
        """Whether the line says that a step failed."""
        if self._of.step is not None and (found := self._of.step.search(text)):
            named = [value for value in found.groupdict().values() if value]
            self._start, self._name, self._raw = number, named[0] if named else None, raw[:RAW_BYTES]
        if self._of.failed is not None and len(self.failed) < 20 and (found := self._of.failed.search(text)):
            codes = [value for key, value in found.groupdict().items() if key.startswith("code") and value]
            code = int(codes[0]) if codes and len(codes[0]) <= CODE_DIGITS else None
            self.failed.append(Step(self._name, self._start, number, code, self._raw))
            return True
        return False
