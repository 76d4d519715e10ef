from __future__ import annotations

import pytest

from opsloop.rag.text.words import terms

# From the examples in M. F. Porter, An algorithm for suffix stripping (1980), about one per rule.
PUBLISHED = {
    "caresses": "caress", "ponies": "poni", "ties": "ti", "cats": "cat", "plastered": "plaster", "motoring": "motor",
    "sing": "sing", "hopping": "hop", "falling": "fall", "hissing": "hiss", "failing": "fail", "filing": "file",
    "happy": "happi", "sky": "sky", "relational": "relat", "conditional": "condit", "rational": "ration",
    "digitizer": "digit", "radically": "radic", "differently": "differ", "vietnamization": "vietnam",
    "operator": "oper", "feudalism": "feudal", "decisiveness": "decis", "hopefulness": "hope", "triplicate": "triplic",
    "formalize": "formal", "electrical": "electr", "goodness": "good", "revival": "reviv", "allowance": "allow",
    "inference": "infer", "airliner": "airlin", "adjustable": "adjust", "replacement": "replac", "adoption": "adopt",
    "homologous": "homolog", "effective": "effect", "bowdlerize": "bowdler", "probate": "probat", "rate": "rate",
    "cease": "ceas", "controlling": "control", "roll": "roll",
}  # fmt: skip


@pytest.mark.parametrize(("word", "stem"), PUBLISHED.items())
def test_a_word_is_stemmed_as_published(word: str, stem: str) -> None:
    assert terms(word) == [stem]


def test_forms_of_a_word_are_one_term() -> None:
    assert len(set(terms("connect connected connecting connection connections"))) == 1
