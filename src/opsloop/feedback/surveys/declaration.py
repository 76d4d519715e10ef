"""What a survey asks, as `opsloop.yaml` declares it.

surveys:
  after-chat:
    title: How did we do?
    endpoint: support-chat
    valid_days: 14
    questions:
      - {id: csat, kind: csat, ask: How satisfied are you with the answer?}
      - {id: recommend, kind: nps, ask: How likely are you to recommend us?}
      - {id: topic, kind: choice, ask: What was it about?, options: [Leave, Pay, Something else]}
      - {id: why, kind: text, ask: What should we do better?, required: false}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

from opsloop.core.errors import InvalidInput

QuestionKind = Literal["csat", "nps", "choice", "text"]
"""CSAT: satisfaction from 1 to 5. NPS: how likely to recommend, 0 to 10 (F. Reichheld, The One Number You Need to Grow,
Harvard Business Review 81 (2003), 46-54)."""

KEYS = ("title", "intro", "endpoint", "valid_days", "questions")
_QUESTION_KEYS = ("id", "kind", "ask", "options", "required")
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_ENDPOINT = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")
_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f\ud800-\udfff]")
MAX_QUESTIONS, MAX_OPTIONS, MAX_ASK, MAX_OPTION = 12, 20, 300, 100
STEPS: Mapping[str, range] = {"csat": range(1, 6), "nps": range(11)}


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    kind: QuestionKind
    ask: str
    options: tuple[str, ...] = ()
    required: bool = True

    @property
    def steps(self) -> range:
        """The numbers that answer a question of `csat` or `nps`."""
        return STEPS[self.kind]


@dataclass(frozen=True, slots=True)
class Declaration:
    """Args: valid_days: time in which an invitation can be answered, in days."""

    title: str
    questions: tuple[Question, ...]
    intro: str = ""
    endpoint: str | None = None
    valid_days: float = 30.0


def parse(values: Mapping[str, Any]) -> Declaration:
    """Raises: InvalidInput naming the key."""
    _only("", values, KEYS)
    questions = values.get("questions")
    if not isinstance(questions, list) or not 0 < len(questions) <= MAX_QUESTIONS:
        raise InvalidInput(field="questions", value=questions, wanted=f"a list of 1 to {MAX_QUESTIONS} questions")
    found = tuple(_question(f"questions.{at}", each) for at, each in enumerate(questions))
    ids = [each.id for each in found]
    if twice := next((each for each in ids if ids.count(each) > 1), None):
        raise InvalidInput(field="questions", value=twice, wanted="an id of its own for each question")
    if sum(each.kind == "csat" for each in found) > 1 or sum(each.kind == "nps" for each in found) > 1:
        raise InvalidInput(field="questions", value=ids, wanted="one question of kind csat, and one of kind nps")
    endpoint = values.get("endpoint")
    if endpoint is not None and not (isinstance(endpoint, str) and _ENDPOINT.fullmatch(endpoint)):
        raise InvalidInput(field="endpoint", value=endpoint, wanted="the name of an endpoint")
    days = values.get("valid_days", 30)
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 < days <= 366:
        raise InvalidInput(field="valid_days", value=days, wanted="a number of days above 0 and up to 366")
    intro = values.get("intro", "")
    return Declaration(
        title=_text("title", values.get("title"), MAX_ASK),
        intro=_text("intro", intro, 2_000) if intro else "",
        endpoint=endpoint,
        valid_days=float(days),
        questions=found,
    )


def stored(asks: Declaration) -> dict[str, Any]:
    """As JSON values, with every default in it."""
    return {**asdict(asks), "questions": [{**asdict(each), "options": list(each.options)} for each in asks.questions]}


def _question(at: str, value: Any) -> Question:
    if not isinstance(value, Mapping):
        raise InvalidInput(field=at, value=value, wanted="a mapping such as {id: csat, kind: csat, ask: …}")
    _only(f"{at}.", value, _QUESTION_KEYS)
    name, kind = value.get("id"), value.get("kind")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise InvalidInput(field=f"{at}.id", value=name, wanted="up to 40 of a-z, 0-9 and _, a letter first")
    if kind not in get_args(QuestionKind):
        raise InvalidInput(field=f"{at}.kind", value=kind, wanted=f"one of {', '.join(get_args(QuestionKind))}")
    options = value.get("options", [])
    if kind == "choice":
        if not isinstance(options, list) or not 2 <= len(options) <= MAX_OPTIONS:
            raise InvalidInput(field=f"{at}.options", value=options, wanted=f"a list of 2 to {MAX_OPTIONS} texts")
        options = [_text(f"{at}.options", each, MAX_OPTION) for each in options]
        if len(set(options)) != len(options):
            raise InvalidInput(field=f"{at}.options", value=options, wanted="each option once")
    elif options:
        raise InvalidInput(field=f"{at}.options", value=options, wanted="none: only a choice has options")
    required = value.get("required", kind != "text")
    if not isinstance(required, bool):
        raise InvalidInput(field=f"{at}.required", value=required, wanted="true or false")
    ask = _text(f"{at}.ask", value.get("ask"), MAX_ASK)
    return Question(name, cast(QuestionKind, kind), ask, tuple(options), required)


def _only(at: str, values: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in values:
        if key not in known:
            raise InvalidInput(field=f"{at}{key}", value=values[key], wanted=f"one of the keys {', '.join(known)}")


def _text(field: str, value: Any, limit: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > limit or _CONTROL.search(value):
        raise InvalidInput(field=field, value=value, wanted=f"text of 1 to {limit} characters")
    return value.strip()
