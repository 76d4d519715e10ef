"""AWS Lambda: `opsloop.incidents.diagnosis.aws_lambda.handler` diagnoses the log in an event.

It takes an event with the log itself, `{"log": "…", "workflow_yaml": "…"}`, one of API Gateway or a function URL with
such a body (or the log as plain text), and one of a CloudWatch Logs subscription. It calls nothing and needs no
permission.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.incidents.diagnosis.engine import diagnose

# What a packed subscription event may hold when unpacked; CloudWatch sends far less.
UNPACKED_BYTES = 64_000_000
FIELDS = ("log", "logs", "provider", "workflow_yaml")


def handler(event: Any, context: object = None) -> dict[str, Any]:
    """The diagnosis with the keys ROOT_CAUSE, FIX and YAML_PATCH beside its own; to HTTP, an answer with a status."""
    is_http = isinstance(event, Mapping) and "body" in event
    try:
        answer = _diagnosed(_body(event) if is_http else event)
    except InvalidInput as error:
        if not is_http:
            raise
        return _http(400, {"error": error.sentence})
    return _http(200, answer) if is_http else answer


def _diagnosed(event: Any) -> dict[str, Any]:
    if not isinstance(event, Mapping):
        raise InvalidInput(field="event", value=event, wanted="an object with a log")
    given: Mapping[str, Any] = {}
    if "awslogs" in event:
        log: Any = _subscribed(event["awslogs"])
    else:
        log, given = event.get("log", event.get("logs")), event
    if isinstance(log, list) and all(isinstance(line, str) for line in log):
        log = "\n".join(log)
    if not isinstance(log, str) or not log.strip():
        raise InvalidInput(field="log", value=log, wanted="the text of a log, or a list of its lines")
    for name in ("provider", "workflow_yaml"):
        if given.get(name) is not None and not isinstance(given[name], str):
            raise InvalidInput(field=name, value=given[name], wanted="a text")
    found = diagnose([log.encode("utf-8", "replace")], named=given.get("provider"), workflow=given.get("workflow_yaml"))
    fix = "\n".join(f"{place}. {step}" for place, step in enumerate(found.fix, 1))
    return {"ROOT_CAUSE": found.root_cause, "FIX": fix, "YAML_PATCH": found.yaml_patch, **asdict(found)}


def _body(event: Mapping[str, Any]) -> Any:
    body = event["body"] or ""
    if event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(body, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError, TypeError) as error:
            raise InvalidInput(field="body", wanted="base64, as isBase64Encoded says") from error
    try:
        read = json.loads(body)
    except (ValueError, TypeError, RecursionError):
        return {"log": body}
    return read if isinstance(read, dict) else {"log": body}


def _subscribed(packed: Any) -> str:
    """The messages of a CloudWatch Logs subscription event: JSON, as gzip, as base64."""
    try:
        unpacking = zlib.decompressobj(wbits=31)
        data = unpacking.decompress(base64.b64decode(packed["data"], validate=True), UNPACKED_BYTES)
        messages = [str(each["message"]) for each in json.loads(data)["logEvents"]]
    except (binascii.Error, zlib.error, ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvalidInput(field="awslogs.data", wanted="gzip as base64, as CloudWatch Logs sends it") from error
    return "\n".join(each.rstrip("\n") for each in messages)


def _http(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
