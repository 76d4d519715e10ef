"""Make a row of a golden dataset from an answer; look at it before, take it back after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from opsloop.core.artifacts.store import ArtifactMissing
from opsloop.core.caller import Role
from opsloop.core.errors import AnswerIsNo, Conflict, InvalidInput, NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import contamination, lineage
from opsloop.datasets import service as datasets
from opsloop.datasets.contamination_models import Contaminated, Passage
from opsloop.datasets.errors import DatasetMissing
from opsloop.datasets.models import Column, ColumnType, DatasetVersion
from opsloop.datasets.passages import texts_of
from opsloop.feedback import words
from opsloop.flows import service as flows
from opsloop.improvement import rated
from opsloop.improvement.models import RatedAnswer
from opsloop.improvement.promotions import columns
from opsloop.improvement.promotions.models import Draft, Promotion, Scrubbed
from opsloop.releases import service as releases

ROWS_LIMIT = 50_000
"""Golden sets are small: a person stands behind every row. Larger ones are written anew elsewhere."""
MAX_TEXT = 50_000
_SOURCE = "request"
_LEARNED = ("training", "tuning")
_NEW = (Column("id", ColumnType.TEXT), Column("question", ColumnType.TEXT), Column("answer", ColumnType.TEXT))
_lines = msgspec.json.Encoder().encode_lines


class AlreadyGolden(Conflict):
    template = "{base} has this question already, in row {row}: change that row instead, with a file that you register"


class RowContaminated(AnswerIsNo):
    template = (
        "this row is no good measure: {found}; what was learned or prompted is answered from memory. "
        "Write the question in other words, or promote it anyway with a reason"
    )


class ChangedMeanwhile(Conflict):
    template = "dataset {dataset} is at {now} by now, it was {before} when the row was shown; look at it again"


class NotPromoted(NotFound):
    template = (
        "{dataset}: its present version {version} was made from no request, so there is no promotion to take back"
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to make a row of.

    Args:
        answer: what should have been answered; default: the correction that was given with feedback.
        question: instead of the one that was asked; needed where no texts are kept.
    """

    request_id: str
    dataset: str
    answer: str | None = None
    question: str | None = None
    question_column: str | None = None
    answer_column: str | None = None


def draft(uow: UnitOfWork, wanted: Wanted) -> Draft:
    """The row as it would be, and what speaks against it; nothing is changed.

    Raises: AnswerMissing, InvalidInput for what is missing.
    """
    uow.by.require(Role.DEVELOPER)
    datasets.check_name(wanted.dataset)
    answer = rated.of_request(uow, wanted.request_id)
    question = _text("question", wanted.question or answer.question, "the question; its endpoint keeps no texts of it")
    better = _text("answer", wanted.answer or answer.correction, "what should have been answered")
    base = _base(uow, wanted.dataset)
    schema = base.schema if base is not None else _NEW
    asked, said = columns.question_of(schema, wanted.question_column), columns.answer_of(schema, wanted.answer_column)
    if asked == said:
        raise InvalidInput(field="answer_column", value=said, wanted="another column than that of the question")
    known = _rows(uow, base)
    row = columns.row(
        schema,
        question=(asked, question.after),
        answer=(said, better.after),
        request_id=wanted.request_id,
        highest_id=_highest_id(known),
    )
    found, looked_in = _contamination(uow, wanted.dataset, answer, row)
    return Draft(
        request_id=wanted.request_id,
        dataset=wanted.dataset,
        base=base.ref if base is not None else None,
        question=question,
        answer=better,
        row=row,
        duplicate=_duplicate(known, asked, question.after),
        found=found,
        looked_in=looked_in,
        promoted=tuple(lineage.made_from(uow, _SOURCE, wanted.request_id)),
    )


def promote(
    uow: UnitOfWork, wanted: Wanted, *, expected_base: str | None = None, reason: str | None = None
) -> Promotion:
    """Add the row as a new version of the dataset; who calls this approves it.

    Args:
        expected_base: the version that the row was shown with; another one by now is a conflict.
        reason: why a row that stands in training data or prompts is taken all the same; put on record.
    Raises: as `draft`; AlreadyGolden, RowContaminated, ChangedMeanwhile, and what a registration refuses with.
    """
    uow.by.require(Role.DEVELOPER)
    datasets.hold(uow, wanted.dataset)
    found = draft(uow, wanted)
    if expected_base is not None and expected_base != (found.base or ""):
        raise ChangedMeanwhile(dataset=wanted.dataset, now=found.base or "no version", before=expected_base or "new")
    if found.duplicate is not None:
        raise AlreadyGolden(base=found.base, row=found.duplicate)
    if found.found and not reason:
        raise RowContaminated(found="; ".join(str(each) for each in found.found[:3]))
    base = _base(uow, wanted.dataset)
    rows = [*_rows(uow, base), found.row]
    snapshot = datasets.prepare(uow.workspace, "rows.jsonl", _lines(rows))
    version = datasets.register_snapshot(
        uow,
        wanted.dataset,
        "rows.jsonl",
        snapshot,
        tags=base.tags if base is not None else ("golden",),
        source=f"{_SOURCE} {wanted.request_id}",
    )
    lineage.note_source(uow, version, _SOURCE, wanted.request_id)
    if base is not None:
        lineage.note_source(uow, version, "dataset", base.ref)
    uow.audit(
        "golden.promoted",
        f"dataset/{version.ref}",
        request=wanted.request_id,
        before=found.base,
        redacted=found.question.is_changed or found.answer.is_changed,
        **({"reason": reason} if reason else {}),
    )
    return Promotion(wanted.request_id, version.ref, found.base, found.row, version.rows)


def take_back(uow: UnitOfWork, dataset: str) -> DatasetVersion:
    """Let the dataset's name stand for the version before its last promotion; both versions stay.

    Raises: DatasetMissing, NotPromoted.
    """
    uow.by.require(Role.DEVELOPER)
    datasets.hold(uow, dataset)
    present = datasets.get(uow, dataset)
    made_from = lineage.of_version(uow, present).made_from
    request = next((each.target for each in made_from if each.noun == _SOURCE), None)
    before = next((each.target for each in made_from if each.noun == "dataset"), None)
    if request is None or before is None:
        raise NotPromoted(dataset=dataset, version=present.ref)
    restored = datasets.make_current(uow, before)
    uow.audit("golden.taken_back", f"dataset/{present.ref}", request=request, now=restored.ref)
    return restored


def _text(field: str, given: str | None, what: str) -> Scrubbed:
    if given is None or not given.strip():
        raise InvalidInput(f"{field}: is missing; wanted {what}", field=field)
    after = words.cleaned(field, given, limit=MAX_TEXT)
    assert after is not None
    return Scrubbed(given.strip(), after)


def _base(uow: UnitOfWork, dataset: str) -> DatasetVersion | None:
    try:
        return datasets.get(uow, dataset)
    except DatasetMissing:
        return None


def _rows(uow: UnitOfWork, base: DatasetVersion | None) -> list[dict[str, Any]]:
    if base is None:
        return []
    if base.rows > ROWS_LIMIT:
        raise InvalidInput(field="dataset", value=base.ref, wanted=f"a golden dataset of at most {ROWS_LIMIT:,} rows")
    return list(datasets.rows(uow, base))


def _highest_id(rows: Iterable[Mapping[str, Any]]) -> int:
    found = (row.get(name) for row in rows for name in row if name.lower() in columns.IDS)
    return max((each for each in found if isinstance(each, int) and not isinstance(each, bool)), default=0)


def _duplicate(rows: Sequence[Mapping[str, Any]], column: str, question: str) -> int | None:
    """The row that asks the same, whatever its case, spacing and marks."""
    mine = contamination.words_of(question) or [question]
    for number, row in enumerate(rows, start=1):
        theirs = row.get(column)
        if isinstance(theirs, str) and (contamination.words_of(theirs) or [theirs]) == mine:
            return number
    return None


def _contamination(
    uow: UnitOfWork, dataset: str, answer: RatedAnswer, row: Mapping[str, Any]
) -> tuple[tuple[Contaminated, ...], tuple[str, ...]]:
    """Where the row stands in what models learned from, and in the flow that answered."""
    learned: dict[str, Iterable[Mapping[str, Any]]] = {}
    for ref in dict.fromkeys(ref for noun in _LEARNED for ref in lineage.used_by(uow, noun)):
        version = datasets.get(uow, ref)
        if version.name != dataset and version.rows <= ROWS_LIMIT:
            try:
                learned[ref] = list(datasets.rows(uow, version))
            except ArtifactMissing:
                continue
    prompts = _prompts(uow, answer)
    if not learned and not prompts:
        return (), ()
    report = contamination.check(dataset, [row], learned, prompts)
    return report.found, report.sources


def _prompts(uow: UnitOfWork, answer: RatedAnswer) -> list[Passage]:
    if answer.endpoint is None:
        return []
    try:
        served = next(each for each in releases.releases(uow, answer.endpoint) if each.id == answer.release)
        folder = flows.materialise(uow.workspace, served.serves_digest) if served.kind == "flow" else None
    except (StopIteration, NotFound, ArtifactMissing):
        return []
    return texts_of(folder, named=served.serves) if folder is not None else []
