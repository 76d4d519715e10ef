"""How long an answer of a model server may be: what is longer is a fault, and is not read on.

Models write 128,000 tokens at most today: half a megabyte of English, 1.5 MB of escaped Chinese. Four such answers to
one call (`n`), or 4,000 tokens with twenty alternatives each (`top_logprobs`, about 2 KB a token), stay below 8 MB.
Vectors are bounded by what was asked for: numbers of 8,192 dimensions, written with 30 bytes each.
"""

from __future__ import annotations

from opsloop.llm import settings

VECTOR_BYTES = 250_000
MOST_VECTORS_BYTES = 256_000_000
STREAMED_TIMES = 16
"""What a stream may send in all, for one limit of text: each token of it comes in an event of some 300 bytes."""
REASON_BYTES = 100_000
"""Of the body of a refusal; what it says is cut to a line anyway."""


def limit_bytes(*, texts: int = 0) -> int:
    """The most that the answer to one call may be. Args: texts: to which vectors were asked for."""
    limit = settings.here().llm_answer_limit_bytes
    return max(limit, min(limit + texts * VECTOR_BYTES, MOST_VECTORS_BYTES))
