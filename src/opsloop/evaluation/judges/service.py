"""Register judges, find them and their calibrations, say whether one may gate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec
from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.db.holding import held_or_made
from opsloop.core.errors import InvalidInput
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation.evaluators.judging import spec as specs
from opsloop.evaluation.evaluators.judging.spec import JudgeSpec
from opsloop.evaluation.judges._tables import CalibrationRow, JudgeRow, JudgeVersionRow
from opsloop.evaluation.judges.errors import CalibrationMissing, JudgeMissing
from opsloop.evaluation.judges.models import (
    Agreement,
    Biases,
    Calibration,
    CalibrationId,
    CalibrationStatus,
    JudgeShown,
    JudgeVersion,
    JudgeVersionId,
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def register(uow: UnitOfWork, name: str, declared: Mapping[str, Any]) -> JudgeVersion:
    """Keep a judge under a name; one that the name has already is the version it was.

    A judge that names no model gets that of the settings, written down: with another model it is another judge.

    Args:
        declared: as in `judge.yaml`; a prompty is its text.
    Raises: InvalidInput, ExperimentInvalid naming the key.
    """
    uow.by.require(Role.DEVELOPER)
    if not _NAME.fullmatch(name):
        wanted = "up to 80 letters, digits and ._-, a letter or digit first"
        raise InvalidInput(field="judge name", value=name, wanted=wanted)
    if b"\\u0000" in msgspec.json.encode(declared):
        raise InvalidInput(field="judge", value=name, wanted="text without zero characters, which cannot be stored")
    spec = specs.read(declared, "").with_model(uow.workspace.settings.llm_model)
    judge = _locked(uow, name)
    query = select(JudgeVersionRow).where(JudgeVersionRow.name == name, JudgeVersionRow.digest == spec.digest)
    row = uow.session.scalar(query)
    if row is None:
        judge.versions += 1
        row = JudgeVersionRow(
            id=uow.ids.new("judge"),
            name=name,
            version=judge.versions,
            digest=spec.digest,
            declared=spec.declared(),
            created_at=uow.clock.now(),
            created_by=uow.by.name,
        )
        uow.session.add(row)
        uow.audit("judge.registered", f"judge/{name}@{row.version}", digest=spec.digest)
    judge.current = row.version
    uow.session.flush()
    return _version(row)


def get(uow: UnitOfWork, ref: str) -> JudgeVersion:
    """The version a text names: `helpful@2`, or `helpful` for the one registered last. Raises: JudgeMissing."""
    uow.by.require(Role.VIEWER)
    name, _, number = ref.partition("@")
    row = None
    if _NAME.fullmatch(name) and (number in ("", "latest") or (number.isdecimal() and len(number) < 10)):
        query = select(JudgeVersionRow).join(JudgeRow, JudgeRow.name == JudgeVersionRow.name)
        is_wanted = JudgeVersionRow.version == (int(number) if number.isdecimal() else JudgeRow.current)
        row = uow.session.scalar(query.where(JudgeVersionRow.name == name, is_wanted))
    if row is None:
        known = uow.session.scalars(select(JudgeRow.name).limit(1_000)).all()
        close = [] if name in known else get_close_matches(name, known, n=1)
        raise JudgeMissing(noun="judge", name=ref, near=f"; did you mean {close[0]!r}?" if close else "")
    return _version(row)


def listed(uow: UnitOfWork, *, name: str | None = None, limit: int = 200) -> list[JudgeVersion]:
    """The current version of every judge by name; with a name all versions of that judge, newest first."""
    uow.by.require(Role.VIEWER)
    query = select(JudgeVersionRow).join(JudgeRow, JudgeRow.name == JudgeVersionRow.name)
    if name is None:
        query = query.where(JudgeVersionRow.version == JudgeRow.current).order_by(JudgeVersionRow.name)
    else:
        query = query.where(JudgeVersionRow.name == name).order_by(JudgeVersionRow.version.desc())
    return [_version(row) for row in uow.session.scalars(query.limit(min(limit, 1_000)))]


def shown(uow: UnitOfWork, ref: str) -> JudgeShown:
    """A version with its calibrations. Raises: JudgeMissing."""
    version = get(uow, ref)
    found = calibrations(uow, version.digest)
    why = why_not(found, version.min_kappa)
    return JudgeShown(version, tuple(found), not why, why)


def calibrations(uow: UnitOfWork, digest: str, *, limit: int = 100) -> list[Calibration]:
    """Of a judge, whatever its name, newest first."""
    uow.by.require(Role.VIEWER)
    query = select(CalibrationRow).where(CalibrationRow.digest == digest)
    rows = uow.session.scalars(query.order_by(CalibrationRow.created_at.desc(), CalibrationRow.id.desc()).limit(limit))
    return [_calibration(uow, row) for row in rows]


def calibration(uow: UnitOfWork, id: str) -> Calibration:
    """Raises: CalibrationMissing."""
    uow.by.require(Role.VIEWER)
    return _calibration(uow, row_of(uow, id))


def row_of(uow: UnitOfWork, id: str) -> CalibrationRow:
    row = uow.session.get(CalibrationRow, id) if "\0" not in id else None
    if row is None:
        raise CalibrationMissing(noun="calibration", name=id)
    return row


def why_not(found: Iterable[Calibration], min_kappa: float) -> str:
    """Why a judge may not gate, as a sentence; empty when its last calibration that ended shows that it may."""
    last = next((each for each in found if each.status is CalibrationStatus.DONE and each.agreement is not None), None)
    if last is None or last.agreement is None:
        return "it was never calibrated with people's labels: `opsloop judge calibrate` does that"
    kappa = last.agreement.kappa
    if kappa.low is None or kappa.value is None:
        return f"its agreement with people cannot be told: all {kappa.rows:,} labels of {last.dataset} are the same"
    if kappa.low < min_kappa:
        return (
            f"its agreement with people on {last.dataset} is kappa {kappa.value:.2f} ({kappa.low:.2f} to "
            f"{kappa.high:.2f}, {kappa.rows:,} rows), and the lower end must reach {min_kappa:g}"
        )
    return ""


def spec_of(version: JudgeVersion) -> JudgeSpec:
    return specs.read(version.declared, "")


def frozen(uow: UnitOfWork, declared: Mapping[str, Any]) -> dict[str, Any]:
    """An experiment with the judges that it names written out, so that a run keeps what it was measured by.

    Judges that name no model get that of the settings. Raises: JudgeMissing.
    """
    evaluators = declared.get("evaluators")
    if not isinstance(evaluators, list):
        return dict(declared)
    return {**declared, "evaluators": [_frozen(uow, each) for each in evaluators]}


def _frozen(uow: UnitOfWork, evaluator: Any) -> Any:
    options = evaluator.get("options") if isinstance(evaluator, Mapping) else None
    if not isinstance(options, Mapping) or not ("judge" in options or evaluator.get("name") == "judge"):
        return evaluator
    named = options.get("judge")
    if isinstance(named, str):
        version = get(uow, named)
        own = {key: value for key, value in options.items() if key not in (*specs.KEYS, "judge")}
        return {**evaluator, "options": {**own, **version.declared, "judge": version.ref}}
    if "model" in options or "prompty" in options or uow.workspace.settings.llm_model is None:
        return evaluator
    return {**evaluator, "options": {**options, "model": uow.workspace.settings.llm_model}}


def _locked(uow: UnitOfWork, name: str) -> JudgeRow:
    """The row of a judge, held by this transaction; made when there is none."""
    made = JudgeRow(name=name, current=0, versions=0, created_at=uow.clock.now(), created_by=uow.by.name)
    return held_or_made(uow.session, made, name)


def _version(row: JudgeVersionRow) -> JudgeVersion:
    spec = specs.read(row.declared, "")
    return JudgeVersion(
        id=JudgeVersionId(row.id),
        name=row.name,
        version=row.version,
        digest=row.digest,
        scale=str(spec.scale),
        model=spec.model,
        min_kappa=spec.min_kappa,
        declared=row.declared,
        created_at=row.created_at,
        created_by=row.created_by,
    )


def _calibration(uow: UnitOfWork, row: CalibrationRow) -> Calibration:
    status = CalibrationStatus(row.status)
    version = uow.session.get_one(JudgeVersionRow, row.judge_version)
    job = jobs.get(uow, row.job) if not status.is_final else None
    found = row.found or {}
    return Calibration(
        id=CalibrationId(row.id),
        judge=f"{version.name}@{version.version}",
        digest=row.digest,
        dataset=row.dataset,
        dataset_digest=row.dataset_digest,
        labels=tuple(row.wanted["labels"]),
        status=status,
        done=row.rows if status is CalibrationStatus.DONE else (job.done if job else 0),
        total=row.rows,
        agreement=msgspec.convert(found["agreement"], Agreement) if "agreement" in found else None,
        biases=msgspec.convert(found["biases"], Biases) if "biases" in found else None,
        answered_by=tuple(found.get("answered_by", ())),
        calls=found.get("calls", 0),
        prompt_tokens=found.get("prompt_tokens", 0),
        completion_tokens=found.get("completion_tokens", 0),
        cost_usd=found.get("cost_usd"),
        error=row.error,
        job=row.job,
        created_at=row.created_at,
        created_by=row.created_by,
        finished_at=row.finished_at,
    )
