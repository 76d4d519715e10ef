"""Microsoft Presidio's recognisers as one more engine for personal data: slower by far; with a model it knows names.

With a spaCy model of English in the environment (`en_core_web_lg`, `_md` or `_sm`) it finds persons and places too;
without one its patterns only. Its kinds have our words where both have one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from opsloop.guardrails.models import Finding
from opsloop.guardrails.screens.screen import Screen

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

LANGUAGE = "en"
LEAST_SCORE = 0.4
MODELS = ("en_core_web_trf", "en_core_web_lg", "en_core_web_md", "en_core_web_sm")
_KINDS = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "payment_card",
    "IBAN_CODE": "iban",
    "DATE_TIME": "date",
}
_one_at_a_time = threading.Lock()


def search(text: str) -> Iterator[Finding]:
    """Raises: ImportError when Presidio is not installed; what its recognisers raise."""
    with _one_at_a_time:  # loading takes seconds and must happen once
        engine = _engine()
    for found in engine.analyze(text, language=LANGUAGE, score_threshold=LEAST_SCORE):
        if 0 <= found.start < found.end <= len(text):
            kind = _KINDS.get(found.entity_type, found.entity_type.lower())
            yield Finding("presidio", kind, found.start, found.end, min(1.0, max(0.0, found.score)))


@cache
def _engine() -> AnalyzerEngine:
    # An optional dependency that takes seconds to import.
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry

    registry = RecognizerRegistry(supported_languages=[LANGUAGE])
    registry.load_predefined_recognizers(languages=[LANGUAGE])
    return AnalyzerEngine(registry=registry, nlp_engine=_words(), supported_languages=[LANGUAGE])


def _words() -> Any:
    """What cuts texts into words for Presidio: a spaCy model that is installed, or rules that need none."""
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    installed = next((name for name in MODELS if find_spec(name) is not None), None)
    if installed is not None:
        return SpacyNlpEngine(models=[{"lang_code": LANGUAGE, "model_name": installed}])
    import spacy

    # Set before it is asked to load, for it would fetch a model from the network.
    engine = SpacyNlpEngine()
    engine.nlp = {LANGUAGE: spacy.blank(LANGUAGE)}
    return engine


SCREEN = Screen(
    "presidio",
    (),
    search,
    by_default=False,
    needs="opsloop[presidio]",
    is_there=lambda: find_spec("presidio_analyzer") is not None,
)
