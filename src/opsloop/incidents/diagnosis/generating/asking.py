"""Ask the model that is set to word a diagnosis. Whatever it does, the rules' answer stands behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import structlog

from opsloop.core.errors import OpsloopError
from opsloop.core.settings import CoreSettings
from opsloop.incidents.diagnosis.engine import Examined
from opsloop.incidents.diagnosis.generating import checking, editing, prompt, reading
from opsloop.incidents.diagnosis.generating.budget import CallBudget, Day, DayIsSpent
from opsloop.incidents.diagnosis.generating.checking import Proved
from opsloop.incidents.diagnosis.generating.prompt import Shown
from opsloop.incidents.diagnosis.generating.reading import Unreadable, Written
from opsloop.incidents.diagnosis.models import Diagnosis, Evidence, Past, Verdict
from opsloop.incidents.diagnosis.settings import DiagnosisSettings
from opsloop.llm.errors import ModelRefused
from opsloop.llm.offline import OfflineEngine
from opsloop.llm.port import ChatProvider
from opsloop.llm.providers import chat_provider
from opsloop.llm.spending import current_purse

log = structlog.get_logger(__name__)

EVIDENCE = 30
MODEL_CHARS = 100
# A server that does not know JSON schemas says so with one of these.
_FORM_REFUSED = frozenset({400, 404, 422, 501})
NOTHING_PROVED = "the model said nothing that lines of the log prove"


def provider_of(core: CoreSettings, settings: DiagnosisSettings) -> ChatProvider | None:
    """The model that words diagnoses; None when none is set, or it is not to. Raises: InvalidInput."""
    if not settings.diagnosis_generate or core.llm_base_url is None:
        return None
    provider = chat_provider(core)
    return None if provider.engine == OfflineEngine.engine else provider


async def worded(
    examined: Examined,
    provider: ChatProvider,
    settings: DiagnosisSettings,
    *,
    past: Sequence[Past] = (),
    day: Day | None = None,
) -> Diagnosis:
    """The diagnosis in the words of a model, as far as lines prove them; else that of the rules, with a note.

    Args:
        past: failures that are like it, for the model to know.
        day: what the tokens are taken of; None where nobody counts.
    """
    found = examined.diagnosis
    if found.verdict is Verdict.NOT_A_FAILURE or not examined.lines:
        return found
    # Redacting takes a while.
    most_tokens = settings.diagnosis_generate_tokens
    shown = await asyncio.to_thread(prompt.shown, examined, most_tokens=most_tokens, past=past)
    if not shown.lines:
        return found
    try:
        async with day.held(most_tokens) if day is not None else nullcontext():
            async with asyncio.timeout(settings.diagnosis_generate_timeout_s):
                written, model = await _asked(provider, shown, settings)
    except TimeoutError:
        return replace(found, note=f"the model took longer than {settings.diagnosis_generate_timeout_s:g} seconds")
    except Unreadable as error:
        return replace(found, note=f"the model's answer cannot be used: {error}")
    except DayIsSpent as error:
        return replace(found, note=error.sentence)
    except OpsloopError as error:
        log.warning("diagnosis_not_worded", reason=str(error))
        return replace(found, note="the model cannot be asked now")
    return await asyncio.to_thread(_checked, examined, shown, written, model)


async def _asked(provider: ChatProvider, shown: Shown, settings: DiagnosisSettings) -> tuple[Written, str]:
    """Raises: TimeoutError, Unreadable, OpsloopError."""
    asked = {"temperature": 0, "max_tokens": prompt.ANSWER_TOKENS}
    with _held_to(settings.diagnosis_generate_usd):
        try:
            said = await provider.chat(shown.messages, response_format=prompt.response_format(), **asked)
        except ModelRefused as error:
            if error.facts.get("status") not in _FORM_REFUSED:
                raise
            said = await provider.chat(shown.messages, **asked)
    return await asyncio.to_thread(reading.read, said.text), provider.model or said.model


@contextmanager
def _held_to(most_usd: float | None) -> Iterator[None]:
    if most_usd is None:
        yield
        return
    token = current_purse.set(CallBudget(most_usd, current_purse.get()))
    try:
        yield
    finally:
        current_purse.reset(token)


def _checked(examined: Examined, shown: Shown, written: Written, model: str) -> Diagnosis:
    found = examined.diagnosis
    proved = checking.proved(written, shown)
    if proved is None:
        return replace(found, note=NOTHING_PROVED)
    confidence = round(min(found.confidence, proved.confidence), 2)
    return replace(
        found,
        verdict=found.verdict if confidence == found.confidence else _lowered(found.verdict),
        root_cause=proved.root_cause,
        fix=proved.fix or found.fix,
        category=proved.category or found.category,
        yaml_patch=found.yaml_patch or _patch(examined, shown, written),
        evidence=_evidence(examined, proved),
        confidence=confidence,
        engine=f"{found.engine}+{_named(model)}",
    )


def _lowered(verdict: Verdict) -> Verdict:
    """A model that doubts takes away certainty, never gives it."""
    return Verdict.LIKELY if verdict is Verdict.CONFIRMED else verdict


def _evidence(examined: Examined, proved: Proved) -> tuple[Evidence, ...]:
    """The lines that prove the words, as the log has them, then those of the rules."""
    cited = [Evidence(number, examined.lines[number]) for number in proved.lines]
    rest = [each for each in examined.diagnosis.evidence if each.line not in proved.lines]
    return (*cited, *rest)[:EVIDENCE]


def _patch(examined: Examined, shown: Shown, written: Written) -> str | None:
    if examined.workflow is None or shown.workflow is None or written.patched_file is None:
        return None
    patch = editing.patch(examined.workflow, shown.workflow, written.patched_file, name=examined.workflow_name)
    added = [line[1:] for line in (patch or "").splitlines()[2:] if line.startswith("+")]
    return patch if all(checking.is_harmless(each, shown) for each in added) else None


def _named(model: str) -> str:
    return "".join(each for each in model if each.isprintable())[:MODEL_CHARS] or "model"
