"""The Lambda handler, with events in the forms that AWS sends."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.incidents.diagnosis.aws_lambda import handler

LOG = "START RequestId: 1\nError: Permission denied accessing S3 bucket\nEND RequestId: 1\n"


def subscription(text: str) -> dict[str, Any]:
    events = [
        {"id": str(at), "timestamp": 0, "message": line} for at, line in enumerate(text.splitlines(keepends=True))
    ]
    data = {"messageType": "DATA_MESSAGE", "logGroup": "/aws/lambda/a", "logEvents": events}
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(data).encode())).decode()}}


@pytest.mark.parametrize("event", [{"log": LOG}, {"logs": LOG.splitlines()}, subscription(LOG)])
def test_the_log_of_an_event_is_diagnosed(event: dict[str, Any]) -> None:
    answer = handler(event)
    assert "S3 bucket" in answer["ROOT_CAUSE"]
    assert answer["FIX"].startswith("1. Add the S3 action")
    assert (answer["YAML_PATCH"], answer["category"], answer["evidence"][0]["line"]) == (None, "permissions", 2)


def test_api_gateway_gets_an_answer_it_can_send_on() -> None:
    body = base64.b64encode(json.dumps({"log": LOG}).encode()).decode()
    answer = handler({"body": body, "isBase64Encoded": True, "requestContext": {}})
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["category"] == "permissions"
    assert handler({"body": LOG})["statusCode"] == 200


@pytest.mark.parametrize(
    "event", [{}, {"log": ""}, {"log": 3}, [], {"awslogs": {}}, {"awslogs": {"data": "x"}}, {"log": "x", "provider": 1}]
)
def test_a_wrong_event_is_refused_with_a_sentence(event: Any) -> None:
    with pytest.raises(InvalidInput, match="wanted"):
        handler(event)


def test_a_wrong_body_gets_a_400() -> None:
    for event in ({"body": None}, {"body": "{}"}, {"body": "%", "isBase64Encoded": True}):
        assert handler(event)["statusCode"] == 400
