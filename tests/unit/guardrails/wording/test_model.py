"""The light model on weights that can be reckoned by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from zlib import crc32

import pytest

from opsloop.guardrails.wording import rules
from opsloop.guardrails.wording.features import BUCKETS, buckets
from opsloop.guardrails.wording.model import read


def weights_file(folder: Path, weights: dict[str, int], size: int = BUCKETS) -> Path:
    body = bytearray(size)
    for piece, weight in weights.items():
        body[crc32(piece.encode()) % BUCKETS] = weight
    head = json.dumps({"scale": 0.5, "bias": -1.0, "threshold": 0.5}).encode()
    file = folder / "weights.bin"
    file.write_bytes(head + b"\n" + bytes(body))
    return file


def test_a_passage_is_its_words_pairs_and_pieces() -> None:
    # <go>, and <sit> with its pieces <sit and sit>, and the pair.
    pair = (31 * crc32(b"go") + crc32(b"sit")) % BUCKETS
    assert buckets("go sit") == {pair, *(crc32(each) % BUCKETS for each in (b"<go>", b"<sit>", b"<sit", b"sit>"))}


def test_the_probability_is_the_logistic_of_the_mean_direction(tmp_path: Path) -> None:
    model = read(weights_file(tmp_path, {"<go>": 10, "<sit>": 20}))
    margin = 0.5 * 30 / math.sqrt(5) - 1
    assert model.probability("go sit") == pytest.approx(1 / (1 + math.exp(-margin)))
    assert model.probability("") == 0.0


def test_a_weights_file_that_is_cut_is_refused(tmp_path: Path) -> None:
    file = weights_file(tmp_path, {}, size=BUCKETS)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match="has 65535 weights"):
        read(file)


def test_rules_are_tried_where_a_mark_stands(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(
        "[parts]\nWHO = '(?:cat|dog)'\n"
        "[[rules]]\nkind = 'pet'\nscore = 0.5\nmarks = ['cat']\nwords = 'the <WHO>'\n"
        "[[rules]]\nkind = 'pet'\nscore = 0.4\nmarks = ['']\nwords = '<WHO>'\n"
    )
    found = rules.read(file)
    assert [(rule.score, match[0]) for rule, match in rules.hits(found, "the cat, the dog")] == [(0.5, "the cat")]
    assert [(rule.score, match[0]) for rule, match in rules.hits(found, "the dog")] == [(0.4, "dog")]
