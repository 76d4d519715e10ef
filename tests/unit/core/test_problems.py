"""Problem documents: JSON whatever stands in them."""

from __future__ import annotations

import json

from opsloop.core.errors import InvalidInput
from opsloop.core.web import problems


def test_a_value_that_is_no_whole_text_still_gives_a_document() -> None:
    error = InvalidInput(field="comment", value="broken \ud800 text", wanted="text")
    body = problems.body_of(problems.problem(error, request_id="req_1"))
    assert json.loads(body)["value"] == "broken \ud800 text"
    assert json.loads(body)["status"] == 422
