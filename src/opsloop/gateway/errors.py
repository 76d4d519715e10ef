"""What can keep the gateway from giving an answer, besides the release itself."""

from __future__ import annotations

from opsloop.core.errors import Failed, InvalidInput, NotFound, TimedOut, TooLarge, Unavailable


class UnknownEndpoint(NotFound):
    template = "no endpoint named {name!r}; GET /v1/models lists those that there are"


class NoSuchRoute(NotFound):
    template = "no route {method} {path}"


class Overloaded(Unavailable):
    template = "the gateway answers {limit} requests already, its limit; try again in a moment"


class OverShare(Unavailable):
    template = (
        "this caller has its share of {share} of the {limit} requests that the gateway answers at a time, and others "
        "ask too; try again in a moment"
    )


class Draining(Unavailable):
    template = "the gateway is stopping; try again in a moment"


class BodyTooLarge(TooLarge):
    template = "the request body is over the limit of {limit} bytes; send less, or raise OPSLOOP_BODY_LIMIT_BYTES"


class BodyTooSlow(InvalidInput):
    template = "body: it did not arrive within {limit_s:g} s; wanted a whole body"


class AnswerTimedOut(TimedOut):
    template = (
        "release {number} of {endpoint} gave no answer within {limit_s:g} s; raise OPSLOOP_GATEWAY_TIMEOUT_S if it may"
    )


class ReleaseUnusable(Unavailable):
    template = "release {number} of {endpoint} cannot be loaded: {reason}"


class NotAChatFlow(InvalidInput):
    template = "model: the flow of {endpoint} takes no chat; call POST /endpoints/{endpoint}/invoke with its inputs"


class NotAFlow(InvalidInput):
    template = "endpoint {endpoint} serves a model; call POST /endpoints/{endpoint}/predict with its rows"


class NotAModel(InvalidInput):
    template = "endpoint {endpoint} serves a flow; call POST /endpoints/{endpoint}/invoke with its inputs"


class NoModelEndpoint(NotFound):
    template = "no endpoint serves a model; release one with `opsloop release create NAME --model MODEL`"


class TooManyRows(TooLarge):
    template = (
        "inputs: {rows} rows; wanted at most {limit}: send fewer, raise OPSLOOP_PREDICT_ROWS, or use "
        "`opsloop model predict` for a file"
    )


class AnswerNotJson(Failed):
    template = "the answer of release {number} of {endpoint} cannot be written as JSON: {reason}"


class AnswerBrokeOff(Failed):
    template = "the answer of release {number} of {endpoint} broke off; ask again"


class WentWrong(Failed):
    template = "something went wrong here; the log has it under request {request}"
