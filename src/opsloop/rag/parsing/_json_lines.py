"""JSON lines: each line a paragraph."""

from __future__ import annotations

from opsloop.rag.parsing import _json
from opsloop.rag.parsing._decode import decoded
from opsloop.rag.parsing._writing import Writing


def text_of(data: bytes) -> str:
    writing = Writing()
    for number, line in enumerate(decoded(data).split("\n"), 1):
        if line.strip():
            found = _json.loaded(
                line, f"line {number} is no JSON from column {{column}} on; mend it there and try again"
            )
            _json.write(writing, found)
    return writing.text()
