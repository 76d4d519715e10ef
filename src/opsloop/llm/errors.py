"""What can go wrong with a call to a model."""

from __future__ import annotations

from opsloop.core.errors import Failed, Unavailable


class ModelUnavailable(Unavailable):
    template = "the model server at {base_url} {what}; try again later, or check its address"


class ModelRefused(Failed):
    template = "the model server at {base_url} refused the call with status {status}: {reason}"


class ModelGarbled(Failed):
    template = "the model server at {base_url} sent an answer that is not of OpenAI's form: {reason}"


class AnswerTooLong(ModelGarbled):
    template = (
        "the model server at {base_url} sent an answer over the limit of {limit} bytes and was cut off; "
        "where answers may be as long, raise OPSLOOP_LLM_ANSWER_LIMIT_BYTES"
    )
