"""The nouns of watching: the record of a request, and traffic made of records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from opsloop.guardrails.models import Action, Direction, Hit
from opsloop.llm.tabs import NANO, ModelCalls

NOTHING = msgspec.Raw(b"null")
"""What a record without rows keeps of them."""

ArmName = Literal["stable", "candidate"]
Status = Literal["ok", "error", "shed", "cancelled"]

BESIDE = "~candidate"
"""At the end of a request's id in the record of an attempt whose answer the caller did not get."""


class Texts(msgspec.Struct, kw_only=True, frozen=True, gc=False, omit_defaults=True):
    """What was asked and answered, redacted where the endpoint wants that.

    Args:
        days: they are kept.
        earlier_turns: of the conversation, before the question.
    """

    question: str
    answer: str
    days: float
    earlier_turns: int = 0


class RequestRecord(msgspec.Struct, kw_only=True, frozen=True, gc=False, omit_defaults=True):
    """One attempt of a release to answer a request; written by the gateway before the answer is sent.

    A msgspec struct, not a dataclass: it is made and encoded for every request, and costs a tenth there.

    Args:
        id: of this record; a record is stored once however often it arrives. Empty: the request's id.
        request_id: what the caller sees and gives feedback on. Callers may choose it, so it need not be unique.
        rollout: the rollout whose comparison this attempt belongs to; None outside one, and for the answer of stable
            that stood in for a candidate that failed (it is no draw of the comparison).
        candidate_share: of subjects at that moment, 0 to 1.
        subject: keyed hash of whoever asked; never the name itself.
        status: `ok`: the release answered · `error`: it gave no answer, or broke off · `shed`: it was not asked,
            the gateway was full · `cancelled`: the caller went away, or the gateway stopped, before the end.
        error_type: class of the error, e.g. `NodeFailed`.
        http_status: what the caller got, or would have got had stable not stood in.
        shielded: this attempt failed and stable answered instead: the caller saw no error of it.
        abstained: whether the answer was a refusal for want of support; None when the flow does not say.
        tokens_in, tokens_out: counted by the model's server, or estimated where nobody counted.
        engine: what made the answer, as the flow says; `flow` when it does not.
        rows: how many a model predicted; 0 for whatever answers no rows.
        inputs: JSON text of those rows as lists in the order of the signature, the first `predictions_kept_rows` of
            them. It may be the caller's own text.
        predictions: JSON text of the list of what the model said of them.
        drift_score: of the endpoint's drift detector after this request; 1 is an alarm.
        shadow: the candidate was asked beside stable, whose answer the caller got; its own was thrown away.
        agreement: of a shadow attempt, the share of rows on which it said what stable did, of a flow how alike their
            answers are (F1 of their words); None when one failed.
        hits: what guardrails found in the request and in the answer, and what was done; never what it was.
        texts: of the question and the answer, where the endpoint keeps them.
        cached: the answer was kept from an earlier request; it used no tokens.
        api_key: name of the API key that asked; empty for whoever has none.
        calls: what calls to models this attempt made, by model; the attempt paid for them also when it failed.
    """

    id: str = ""
    request_id: str
    endpoint: str
    release: str
    arm: ArmName
    rollout: str | None = None
    candidate_share: float = 0.0
    subject: str
    started_at: datetime
    duration_ms: float
    status: Status
    error_type: str | None = None
    http_status: int = 200
    shielded: bool = False
    abstained: bool | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    engine: str = "flow"
    streamed: bool = False
    rows: int = 0
    inputs: msgspec.Raw = NOTHING
    predictions: msgspec.Raw = NOTHING
    drift_score: float | None = None
    shadow: bool = False
    agreement: float | None = None
    hits: tuple[Hit, ...] = ()
    texts: Texts | None = None
    cached: bool = False
    api_key: str = ""
    calls: tuple[ModelCalls, ...] = ()

    @property
    def cost_usd(self) -> float:
        """Of its calls to models, as far as they have a price."""
        return sum(each.nano_usd for each in self.calls) / NANO

    @property
    def guarded(self) -> bool:
        """Whether guardrails did more than count: the caller saw it."""
        return any(hit.action.keeps_back for hit in self.hits)

    @property
    def original_id(self) -> str:
        """The id of the caller's request that a shadow attempt is a copy of."""
        return self.request_id.removesuffix(BESIDE) if self.shadow else self.request_id

    @property
    def key(self) -> str:
        """What makes this record the same one when it arrives again."""
        return self.id or self.request_id


@dataclass(frozen=True, slots=True)
class ArmTraffic:
    """What one arm did in a window.

    `count` holds every attempt, `shielded` those among them that stable answered instead. `error_rate` is errors over
    attempts that were asked and not cancelled, from 0 to 1, None when there were none. Percentiles are of answered
    requests, by nearest rank, in milliseconds.
    """

    arm: ArmName
    count: int
    rate_per_s: float
    errors: int
    shielded: int
    shed: int
    cancelled: int
    abstained: int
    error_rate: float | None
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Traffic:
    """What an endpoint did in a window that ends now. `requests` counts callers' requests: shielded attempts are not
    counted, for stable's answer to the same request is."""

    endpoint: str
    window_s: int
    until: datetime
    requests: int
    rate_per_s: float
    arms: tuple[ArmTraffic, ...]

    def arm(self, name: ArmName) -> ArmTraffic | None:
        return next((found for found in self.arms if found.arm == name), None)


@dataclass(frozen=True, slots=True)
class TrafficPoint:
    """One arm in one interval of a chart; `at` is the interval's start."""

    at: datetime
    arm: ArmName
    count: int
    rate_per_s: float
    errors: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class HitCount:
    """How many requests of an arm had a hit, and how many places were found in them together."""

    arm: ArmName
    kind: str
    direction: Direction
    action: Action
    requests: int
    places: int


@dataclass(frozen=True, slots=True)
class HitReport:
    """`requests` counts all attempts in the window, `guarded` those in which something was held back."""

    endpoint: str
    window_s: int
    until: datetime
    requests: int
    guarded: int
    counts: tuple[HitCount, ...]
