"""Legacy completions: one or several prompts, whole and streamed."""

from __future__ import annotations

from typing import Any

import msgspec

from opsloop.core.web.json_body import decoded
from opsloop.testing import answers, tokens, wire
from opsloop.testing.requests import CompletionRequest
from opsloop.testing.said import Said, limited
from opsloop.testing.wire import Asker

NAME = "completions"
# The API's own when a request names none; flows that forget it meet the same here. What a script says stays whole.
DEFAULT_TOKEN_LIMIT = 16
_DECODER = msgspec.json.Decoder(CompletionRequest)


class Completions:
    """One request of completions. Raises: InvalidInput when `body` is none."""

    def __init__(self, body: bytes) -> None:
        self.request = decoded(_DECODER, body)
        self.model = self.request.model
        self.needs_model = True
        self.streams = bool(self.request.stream)

    @property
    def texts(self) -> list[str]:
        return self.request.texts

    def body(self, asker: Asker, scripted: Said | None) -> bytes:
        said = self._said(scripted)
        choices = [self._choice(index, each.text or "", each.finish_reason) for index, each in enumerate(said)]
        return wire.encode(self._document(asker, choices, usage=self._usage(said)))

    def events(self, asker: Asker, scripted: Said | None) -> list[bytes]:
        said = self._said(scripted)
        events: list[bytes] = []
        for index, each in enumerate(said):
            for piece in tokens.pieces(each.text or ""):
                events.append(self._event(asker, [self._choice(index, piece, None)]))
            events.append(self._event(asker, [self._choice(index, "", each.finish_reason)]))
        if self.request.streams_usage:
            events.append(self._event(asker, [], usage=self._usage(said)))
        return [*events, wire.DONE]

    def _said(self, scripted: Said | None) -> list[Said]:
        """Each prompt's choices, one prompt after the other."""
        choices = range(self.request.n or 1)
        return [self._said_once(prompt, choice, scripted) for prompt in self.texts for choice in choices]

    def _said_once(self, prompt: str, choice: int, scripted: Said | None) -> Said:
        text = answers.completion_of(prompt, choice) if scripted is None else scripted.text or ""
        limit = self.request.token_limit or (DEFAULT_TOKEN_LIMIT if scripted is None else None)
        said = limited(text, stops=self.request.stops, token_limit=limit)
        return Said(prompt + (said.text or ""), finish_reason=said.finish_reason) if self.request.echo else said

    def _choice(self, index: int, text: str, finish_reason: str | None) -> dict[str, Any]:
        top = self.request.logprobs
        logprobs = None if top is None else wire.completion_logprobs(text, top)
        return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish_reason}

    def _usage(self, said: list[Said]) -> dict[str, Any]:
        return wire.usage(sum(tokens.count(prompt) for prompt in self.texts), said)

    def _event(self, asker: Asker, choices: list[dict[str, Any]], **more: Any) -> bytes:
        if self.request.streams_usage:
            more = {"usage": None, **more}
        return wire.event(self._document(asker, choices, **more))

    def _document(self, asker: Asker, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {
            "id": f"cmpl-{asker.id}",
            "object": "text_completion",
            "created": wire.CREATED,
            "model": asker.model,
            "system_fingerprint": wire.FINGERPRINT,
            "choices": choices,
            **more,
        }
