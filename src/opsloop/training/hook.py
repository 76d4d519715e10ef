"""`POST /webhooks/train/{pipeline}`: another system asks for a run, with a signature or an API key.

The signature is GitHub's (`X-Hub-Signature-256`) or ours with a time in it (`X-Opsloop-Signature`), by the secret
that the pipeline names or else the setting's. A request that comes again under its id (`X-GitHub-Delivery`,
`X-Opsloop-Delivery`) starts no second run.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import msgspec
from fastapi import Header, Response

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput
from opsloop.core.notices import address, signatures
from opsloop.core.web.body import RawBody
from opsloop.core.web.dependencies import Asking, Opened
from opsloop.core.web.json_body import decoded
from opsloop.core.web.router import Router
from opsloop.core.workspace import UnitOfWork
from opsloop.training import declaration, service
from opsloop.training.models import TrainingRun, Trigger
from opsloop.training.run_errors import PipelineMissing, SignatureWrong
from opsloop.training.settings import TrainingSettings

router = Router(tags=["training"])
MOST_REASON = 500


class Wanted(msgspec.Struct):
    """What a body may say; whatever else is in it, as in an event of GitHub's, is not looked at."""

    dataset: str | None = None
    force: bool = False
    reason: str = ""


_decoder = msgspec.json.Decoder(Wanted)


@router.post("/webhooks/train/{pipeline}", status_code=202)
def train(
    workspace: Opened,
    caller: Asking,
    pipeline: str,
    body: RawBody,
    response: Response,
    x_hub_signature_256: Annotated[str | None, Header()] = None,
    x_opsloop_signature: Annotated[str | None, Header()] = None,
    x_github_delivery: Annotated[str | None, Header()] = None,
    x_github_event: Annotated[str | None, Header()] = None,
    x_opsloop_delivery: Annotated[str | None, Header()] = None,
) -> TrainingRun | dict[str, Any]:
    """Start a run of a pipeline; the body may name a `dataset`, a `reason`, and `force`."""
    with workspace.writing(caller) as uow:
        if x_hub_signature_256 is not None or x_opsloop_signature is not None:
            _verify(uow, pipeline, body, x_hub_signature_256, x_opsloop_signature)
            uow.by = Caller(f"webhook:{pipeline}", Role.DEVELOPER)
        if x_github_event == "ping":
            response.status_code = 200
            return {"pipeline": service.get(uow, pipeline).name, "says": "pong"}
        wanted = decoded(_decoder, body) if body.strip() else Wanted()
        return service.start(
            uow,
            pipeline,
            trigger=Trigger.WEBHOOK,
            reason=_reason(wanted, x_github_event),
            dataset=wanted.dataset,
            force=wanted.force,
            job=_job(pipeline, x_github_delivery or x_opsloop_delivery),
        )


def _verify(uow: UnitOfWork, pipeline: str, body: bytes, hub: str | None, stamped: str | None) -> None:
    """Raises: SignatureWrong, also for a pipeline that is not there: nobody learns names without the secret."""
    secret = _secret(uow, pipeline)
    if secret is not None:
        if hub is not None and signatures.is_hub(secret, body, hub):
            return
        if stamped is not None and signatures.is_stamped(secret, body, stamped, uow.clock.now()):
            return
    raise SignatureWrong(pipeline=pipeline)


def _secret(uow: UnitOfWork, pipeline: str) -> str | None:
    try:
        named = declaration.parse(service.get(uow, pipeline).declared).hook_secret
    except PipelineMissing:
        return None
    if named is None:
        return uow.workspace.section(TrainingSettings).training_hook_secret
    try:
        return address.resolved("webhook.secret", named)
    except InvalidInput:
        return None


def _reason(wanted: Wanted, event: str | None) -> str:
    said = wanted.reason or (f"event {event}" if event else "")
    return "".join(letter for letter in said if letter.isprintable())[:MOST_REASON]


def _job(pipeline: str, delivery: str | None) -> str | None:
    if not delivery:
        return None
    return f"webhook:{pipeline}:{hashlib.sha256(delivery.encode()).hexdigest()[:32]}"
