"""`Prompty.load(source="chat.prompty")` and calling what it gives: a prompty as a function of users' Python."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, Self

from opsloop.core.errors import InvalidInput
from opsloop.flows import executor
from opsloop.flows.call import Call, current_call
from opsloop.flows.compat.responses import as_response
from opsloop.flows.compat.token_count import estimated_tokens
from opsloop.flows.compat.waiting import iterate, wait_for
from opsloop.flows.connections import lookup
from opsloop.flows.formats import prompty
from opsloop.flows.formats.chat_prompt import messages
from opsloop.flows.formats.templates import PromptTemplate
from opsloop.flows.model_access import ModelAccess, current_models
from opsloop.flows.models import Flow, PromptyModel
from opsloop.flows.nodes.prompty import answer, pieces


class Prompty:
    """Args:
    model: `api`, `configuration`, `parameters`, `response` that come before those of the file.
    """

    def __init__(self, path: str | PathLike[str], model: Mapping[str, Any] | None = None, **_: Any) -> None:
        flow = prompty.read(Path(path))
        assert flow.prompty is not None
        self.path = Path(path)
        # Whether it says something else than its file: a run of it is then a run of this object.
        self.is_overlaid = bool(model)
        self._flow = replace(flow, prompty=replace(flow.prompty, model=_overlaid(flow.prompty.model, model or {})))
        self._template = PromptTemplate(flow.prompty.template, file=flow.file)
        self.__signature__ = _signature(flow)

    @classmethod
    def load(cls, source: str | PathLike[str], **kwargs: Any) -> Self:
        """The prompty in a file. Raises: FlowMissing, FlowInvalid."""
        return cls(source, **kwargs)

    @property
    def name(self) -> str:
        return self._flow.name

    @property
    def model(self) -> PromptyModel:
        assert self._flow.prompty is not None
        return self._flow.prompty.model

    def __call__(self, *args: Any, **inputs: Any) -> Any:
        """Ask the model: text, an object where JSON was asked for, a generator of text where `stream` is set."""
        if self._streams():
            return self._streamed(self._inputs(args, inputs))
        return wait_for(self._answer(self._inputs(args, inputs)))

    def render(self, *args: Any, **inputs: Any) -> str:
        """What the model would be sent, as text."""
        return str(self._messages(self._inputs(args, inputs)))

    def estimate_token_count(self, *args: Any, **inputs: Any) -> int:
        """Tokens of the prompt, estimated, and those the answer may have. See token_count.py."""
        prompt = estimated_tokens(self._messages(self._inputs(args, inputs)))
        most = self.model.parameters.get("max_tokens") or 0
        if not isinstance(most, int) or most < 0:
            raise InvalidInput(field="max_tokens", value=most, wanted="a whole number, at least 1")
        return prompt + most

    async def _answer(self, inputs: Mapping[str, Any]) -> Any:
        call = Call()
        found = await answer(self._flow, self._template.render(inputs), inputs, _models(), call)
        _count(call)
        return as_response(found) if self.model.returns_all else found

    def _streams(self) -> bool:
        return bool(self.model.parameters.get("stream")) and not self.model.returns_all

    def _streamed(self, inputs: Mapping[str, Any]) -> Iterator[str]:
        yield from iterate(self._pieces(inputs))

    async def _pieces(self, inputs: Mapping[str, Any]) -> AsyncIterator[str]:
        call = Call()
        async for piece in pieces(self._flow, self._template.render(inputs), inputs, _models(), call):
            yield piece
        _count(call)

    def _messages(self, inputs: Mapping[str, Any]) -> Any:
        prompt = self._template.render(inputs)
        return str(prompt) if self.model.api == "completion" else messages(prompt.marked, inputs.values())

    def _inputs(self, args: tuple[Any, ...], given: Mapping[str, Any]) -> dict[str, Any]:
        """Raises: InputInvalid when one is missing."""
        if args:
            raise InvalidInput(field="prompty", value=args[0], wanted="inputs by name: prompty(question=…)")
        given = given or self._flow.sample.inputs
        return executor.with_images_loaded(self._flow, executor.checked_inputs(self._flow, given))


class AsyncPrompty(Prompty):
    """A prompty whose call is awaited; a streaming one gives an asynchronous generator."""

    async def __call__(self, *args: Any, **inputs: Any) -> Any:
        found = self._inputs(args, inputs)
        return self._pieces(found) if self._streams() else await self._answer(found)


def _signature(flow: Flow) -> inspect.Signature:
    """What a prompty takes, for whoever asks its object as Python does."""
    return inspect.Signature(
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=each.default if each.has_default else inspect.Parameter.empty,
            )
            for name, each in flow.inputs.items()
            if name.isidentifier()
        ]
    )


def _models() -> ModelAccess:
    """Those of the flow that is running, else what this folder and this user have."""
    return current_models.get(None) or ModelAccess(lookup.here())


def _count(call: Call) -> None:
    """The node that is running has used what the prompty has."""
    node = current_call.get(None)
    if node is not None:
        node.add(call.tokens)


def _overlaid(model: PromptyModel, given: Mapping[str, Any]) -> PromptyModel:
    configuration = given.get("configuration")
    if isinstance(configuration, Mapping):
        configuration = {**model.configuration, **configuration}
    return replace(
        model,
        api=given.get("api") or model.api,
        configuration=model.configuration if configuration is None else configuration,
        parameters={**model.parameters, **(given.get("parameters") or {})},
        returns_all=given.get("response", "all" if model.returns_all else "first") == "all",
    )
