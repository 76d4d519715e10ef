"""Take rated answers out as data to tune a model with: scrubbed, checked, and without what evaluations measure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, get_args

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import service as datasets
from opsloop.datasets.contamination import words_of
from opsloop.guardrails.redaction import redacted
from opsloop.improvement import rated
from opsloop.improvement.models import RatedAnswer
from opsloop.improvement.promotions.columns import QUESTIONS
from opsloop.improvement.tuning import formats
from opsloop.improvement.tuning.models import Format, TuningData
from opsloop.releases import service as releases

MOST_ROWS = 20_000
MOST_DAYS = 3_650
_PAGE = 200
_GOLDEN_ROWS = 50_000
NO_TEXTS, EARLIER, UNCORRECTED = "no texts are kept", "earlier turns are not kept", "bad and not corrected"
GOLDEN, DOUBLE, NO_OTHER = (
    "its question is in a golden dataset",
    "the same row twice",
    "no worse answer to the question",
)
_Rows = list[dict[str, Any]]


def export(uow: UnitOfWork, endpoint: str, format: str, *, days: float = 90) -> TuningData:
    """Rows made of the answers of an endpoint that people rated in the last days; put on record.

    `openai-chat`: what people liked, and the corrections of what they did not. `preference`: a correction before the
    answer that was given; of one question that got several answers, such as in an A/B test, one that people liked
    before one that they did not. `dataset`: every rated answer with what was said of it.

    Raises: NotFound for an endpoint that there is not; InvalidInput.
    """
    uow.by.require(Role.DEVELOPER)
    if format not in get_args(Format):
        raise InvalidInput(field="as", value=format, wanted=f"one of {', '.join(get_args(Format))}")
    if not 0 < days <= MOST_DAYS:
        raise InvalidInput(field="days", value=days, wanted=f"a number of days above 0 and up to {MOST_DAYS}")
    releases.endpoint(uow, endpoint)
    answers = list(_rated(uow, endpoint, days))
    left_out: Counter[str] = Counter()
    usable = list(_usable(uow, answers, left_out))
    made = _MAKERS[format](usable, left_out)
    rows = _checked(format, made, left_out)[:MOST_ROWS]
    uow.audit("feedback.exported", f"endpoint/{endpoint}", format=format, days=days, rows=len(rows))
    return TuningData(endpoint, _FORMATS[format], len(answers), tuple(rows), dict(left_out.most_common()))


def _rated(uow: UnitOfWork, endpoint: str, days: float) -> Iterator[RatedAnswer]:
    since = uow.clock.now() - timedelta(days=days)
    cursor: int | None = None
    count = 0
    while count < MOST_ROWS:
        page, cursor = rated.newest(uow, endpoint=endpoint, before_seq=cursor, limit=_PAGE)
        for answer in page:
            if answer.given[0].created_at < since:
                return
            yield answer
            count += 1
        if cursor is None:
            return


def _usable(uow: UnitOfWork, answers: Sequence[RatedAnswer], left_out: Counter[str]) -> Iterator[RatedAnswer]:
    golden = _golden_questions(uow)
    for answer in answers:
        if answer.question is None or answer.answer is None:
            left_out[NO_TEXTS] += 1
        elif answer.earlier_turns:
            left_out[EARLIER] += 1
        elif _key(answer.question) in golden:
            left_out[GOLDEN] += 1
        else:
            yield answer


def _golden_questions(uow: UnitOfWork) -> set[tuple[str, ...]]:
    """Of datasets that are tagged golden: a model that learned them would be measured by its memory."""
    found: set[tuple[str, ...]] = set()
    for version in datasets.listed(uow, limit=1_000):
        if "golden" not in version.tags or version.rows > _GOLDEN_ROWS:
            continue
        column = next((each.name for each in version.schema if each.name.lower() in QUESTIONS), None)
        if column is not None:
            found |= {_key(row[column]) for row in datasets.rows(uow, version) if isinstance(row.get(column), str)}
    return found


def _key(question: str) -> tuple[str, ...]:
    """A question whatever its case, spacing and marks, as it would be in a dataset: without personal data."""
    return tuple(words_of(redacted(question))) or (question,)


def _chat(answers: Sequence[RatedAnswer], left_out: Counter[str]) -> _Rows:
    rows = []
    for answer in answers:
        said = answer.correction or (answer.answer if answer.is_satisfied else None)
        if said is None:
            left_out[UNCORRECTED] += 1
        else:
            rows.append(formats.chat(_clean(answer.question), _clean(said)))
    return rows


def _preference(answers: Sequence[RatedAnswer], left_out: Counter[str]) -> _Rows:
    rows = []
    asked: dict[tuple[str, ...], list[RatedAnswer]] = defaultdict(list)
    for answer in answers:
        asked[_key(answer.question or "")].append(answer)
    for same in asked.values():
        liked = next((each for each in same if each.is_satisfied and not each.correction), None)
        is_used = False
        for answer in same:
            if answer is liked:
                continue
            preferred = answer.correction or (liked.answer if liked is not None and not answer.is_satisfied else None)
            if preferred is None:
                left_out[NO_OTHER if answer.is_satisfied else UNCORRECTED] += 1
                continue
            is_used = is_used or not answer.correction
            rows.append(formats.preference(_clean(answer.question), _clean(preferred), _clean(answer.answer)))
        left_out[NO_OTHER] += liked is not None and not is_used
    return rows


def _dataset(answers: Sequence[RatedAnswer], left_out: Counter[str]) -> _Rows:
    return [
        {
            "id": answer.request_id,
            "question": _clean(answer.question),
            "answer": _clean(answer.answer),
            "correction": _clean(answer.correction),
            "satisfied": answer.is_satisfied,
            "score": answer.given[0].score,
            "comments": [_clean(each) for each in answer.comments],
            "tags": sorted({tag for each in answer.given for tag in each.tags}),
            "endpoint": answer.endpoint,
            "release": answer.release,
        }
        for answer in answers
    ]


def _clean(text: str | None) -> str:
    # Texts of an endpoint that keeps them as they are have to lose what is personal here.
    return redacted(text.strip()) if text else ""


def _checked(format: str, rows: Sequence[dict[str, Any]], left_out: Counter[str]) -> _Rows:
    """The rows that hold to the rules of their format, each once."""
    fault = _FAULTS[format]
    found, seen = [], set()
    for row in rows:
        wrong = fault(row)
        if wrong is not None:
            left_out[wrong] += 1
        elif (key := repr(row)) in seen:
            left_out[DOUBLE] += 1
        else:
            seen.add(key)
            found.append(row)
    return found


def _no_fault(row: Mapping[str, Any]) -> None:
    return None


_FORMATS: dict[str, Format] = {each: each for each in get_args(Format)}
_MAKERS: dict[str, Callable[[Sequence[RatedAnswer], Counter[str]], _Rows]] = {
    "openai-chat": _chat,
    "preference": _preference,
    "dataset": _dataset,
}
_FAULTS: dict[str, Callable[[Mapping[str, Any]], str | None]] = {
    "openai-chat": formats.fault_of_chat,
    "preference": formats.fault_of_preference,
    "dataset": _no_fault,
}
