"""Sentences of a document that are addressed to a model, not to a reader: they are neither quoted nor taken as proof.

A list of forms, and no defence by itself: what holds is that documents are data everywhere (`generating/prompt.py`,
`generating/proving.py`, `inert.py`). It keeps the commonest of them out of people's sight.
"""

from __future__ import annotations

import re

_FORMS = re.compile(
    r"""\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|preceding|all|any|your)\b
        .{0,30}\b(?:instruction|prompt|rule|direction|guideline|message)s?\b
      | <\|[a-z_]{2,20}\|> | \[/?INST\] | <</?SYS>>
      | ^\W*(?:system|assistant|developer)\s*(?:prompt|message)?\s*:
      | \byou\ (?:are\ now|must\ now|will\ now)\b.{0,60}\b(?:assistant|model|ai|bot|mode|free|unrestricted)\b""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)


def is_to_a_model(sentence: str) -> bool:
    return _FORMS.search(sentence) is not None
