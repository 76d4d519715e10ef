"""Asking a judge: temperature 0, an answer read strictly, asked again where it cannot be read, never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opsloop.core.errors import Failed, OpsloopError
from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.asking import ITSELF, Asked
from opsloop.evaluation.evaluators.judging import reading
from opsloop.evaluation.evaluators.judging.prompt import again, messages, read_prompty, swapped
from opsloop.evaluation.evaluators.judging.reading import Judgement, Unreadable
from opsloop.evaluation.evaluators.judging.spec import JudgeSpec, Kind
from opsloop.flows.asking import used
from opsloop.flows.calls import kept
from opsloop.flows.connections import lookup
from opsloop.flows.model_access import ModelAccess, current_models
from opsloop.flows.results import NO_TOKENS, TokenUse
from opsloop.llm import settings as model_settings
from opsloop.llm.errors import ModelGarbled, ModelRefused, ModelUnavailable
from opsloop.llm.port import ChatProvider

TRIES = 3
ROWS_AT_ONCE = 64


class NoJudgeModel(Failed):
    template = (
        "a judge needs a model, and none is configured: set OPSLOOP_LLM_BASE_URL, name a connection in the judge, "
        "or record its answers with OPSLOOP_LLM_RECORDING; the offline engine cannot judge"
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judge said of one row.

    Attributes:
        score: None when it could not be asked or read; `error` says why.
        orders: of a pair, the scores for the judged answer when it stood first and second.
        by: the model that answered, as its server names it.
    """

    score: float | None
    reason: str = ""
    error: str | None = None
    orders: tuple[float, ...] = ()
    use: TokenUse = NO_TOKENS
    by: str = ""
    is_away: bool = False

    def asked(self) -> Asked:
        scores = {} if self.score is None else {ITSELF: self.score}
        return Asked(scores, self.error, self.reason, self.use, self.by)


class Judge:
    """A judge, ready to be asked. It belongs to the workspace in which it was made.

    Raises: NoJudgeModel; ConnectionMissing, ConnectionInvalid.
    """

    def __init__(self, spec: JudgeSpec) -> None:
        self.spec = spec
        self._provider, self._parameters = _model_of(spec)
        if self._provider.engine == "offline" and model_settings.here().llm_recording is None:
            raise NoJudgeModel()

    async def rows(self, rows: Sequence[Mapping[str, Any]]) -> list[Judged]:
        """What it says of each row. Raises: ModelUnavailable when the model answered none of them."""
        turn = asyncio.Semaphore(ROWS_AT_ONCE)

        async def one(row: Mapping[str, Any]) -> Judged:
            async with turn:
                return await self.row(row)

        found = await asyncio.gather(*map(one, rows))
        if found and all(each.is_away for each in found):
            raise Failed(f"the judge could not be asked of any of {len(found):,} rows: {found[0].error}")
        return found

    async def row(self, values: Mapping[str, Any]) -> Judged:
        if self.spec.scale.kind is not Kind.PAIRWISE:
            return await self._ask(values)
        first = await self._ask(values)
        second = await self._ask(swapped(values))
        use = first.use + second.use
        if first.score is None or second.score is None:
            return replace(first if first.score is None else second, score=None, use=use)
        orders = (first.score, 1.0 - second.score)
        return Judged(sum(orders) / 2.0, first.reason, orders=orders, use=use, by=first.by)

    async def _ask(self, values: Mapping[str, Any]) -> Judged:
        use, by = NO_TOKENS, ""
        try:
            said = messages(self.spec, values)
        except (CannotScore, OpsloopError) as error:
            return Judged(None, error=str(error))
        reason = ""
        for _ in range(TRIES):
            try:
                completion = await kept(self._provider).chat(said, **self._parameters)
            except (ModelUnavailable, ModelRefused, ModelGarbled) as error:
                is_away = isinstance(error, ModelUnavailable)
                return Judged(None, error=f"the judge could not be asked: {error}", use=use, by=by, is_away=is_away)
            use, by = use + used(completion), completion.model
            try:
                found: Judgement = reading.read(completion.text, self.spec.scale)
            except Unreadable as error:
                reason = str(error)
                said = [*said, again(reason, self.spec.scale)]
                continue
            return Judged(found.score, found.reason, use=use, by=by)
        return Judged(None, error=f"the judge's answer could not be read in {TRIES} tries: {reason}", use=use, by=by)


def _model_of(spec: JudgeSpec) -> tuple[ChatProvider, dict[str, Any]]:
    access = current_models.get(None) or ModelAccess(lookup.here())  # with the experiment's connections, in a run
    parameters: dict[str, Any] = {"temperature": 0}
    configuration: Mapping[str, Any] = {}
    if spec.prompty:
        written = read_prompty(spec.prompty).model
        configuration = written.configuration
        parameters |= written.parameters
    if spec.connection is not None:
        access.connections.need(spec.connection)
        model = access.of_connection(spec.connection)
    else:
        model = access.of_configuration(configuration)
    parameters |= spec.parameters
    name = spec.model or model.name
    if name is not None:
        parameters["model"] = name
    return model.provider, {key: value for key, value in parameters.items() if value is not None and key != "stream"}
