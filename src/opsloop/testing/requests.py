"""Requests as OpenAI's API takes them: what the server looks at, and the limits it holds; other fields pass unseen.

Source: OpenAI API reference, "Create chat completion", "Create completion", "Create embeddings".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from opsloop.testing import tokens

Schema: TypeAlias = dict[str, Any] | bool

Choices = Annotated[int, msgspec.Meta(ge=1, le=128)]
TokenLimit = Annotated[int, msgspec.Meta(ge=1)]
Temperature = Annotated[float, msgspec.Meta(ge=0, le=2)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
TopLogprobs = Annotated[int, msgspec.Meta(ge=0, le=20)]
FunctionName = Annotated[str, msgspec.Meta(pattern=r"\A[a-zA-Z0-9_-]{1,64}\Z")]


class TextPart(msgspec.Struct, tag="text", tag_field="type"):
    text: str


class ImageUrl(msgspec.Struct):
    url: str


class ImagePart(msgspec.Struct, tag="image_url", tag_field="type"):
    image_url: ImageUrl


class AudioPart(msgspec.Struct, tag="input_audio", tag_field="type"):
    input_audio: dict[str, Any]


class FilePart(msgspec.Struct, tag="file", tag_field="type"):
    file: dict[str, Any]


class RefusalPart(msgspec.Struct, tag="refusal", tag_field="type"):
    refusal: str


Part: TypeAlias = TextPart | ImagePart | AudioPart | FilePart | RefusalPart


class Message(msgspec.Struct):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content or () if isinstance(part, TextPart))

    @property
    def images(self) -> int:
        return sum(isinstance(part, ImagePart) for part in self.content) if isinstance(self.content, list) else 0


class Function(msgspec.Struct):
    name: FunctionName
    description: str | None = None
    parameters: Schema | None = None


class Tool(msgspec.Struct):
    type: Literal["function"]
    function: Function


class JsonSchema(msgspec.Struct):
    name: str
    schema: Schema | None = None
    strict: bool | None = None


class TextFormat(msgspec.Struct, tag="text", tag_field="type"):
    pass


class JsonObjectFormat(msgspec.Struct, tag="json_object", tag_field="type"):
    pass


class JsonSchemaFormat(msgspec.Struct, tag="json_schema", tag_field="type"):
    json_schema: JsonSchema


class Named(msgspec.Struct):
    name: str


class NamedTool(msgspec.Struct):
    function: Named


class StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class Sampling(msgspec.Struct, kw_only=True):
    """What chat and legacy completions share."""

    model: str | None = None
    n: Choices | None = None
    stop: str | list[str] | None = None
    max_tokens: TokenLimit | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    seed: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    @property
    def stops(self) -> list[str]:
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return [stop for stop in given if stop]

    @property
    def streams_usage(self) -> bool:
        return self.stream_options is not None and bool(self.stream_options.include_usage)


class ChatRequest(Sampling, kw_only=True):
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    max_completion_tokens: TokenLimit | None = None
    logprobs: bool | None = None
    top_logprobs: TopLogprobs | None = None
    response_format: TextFormat | JsonObjectFormat | JsonSchemaFormat | None = None
    tools: Annotated[list[Tool], msgspec.Meta(min_length=1)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    functions: Annotated[list[Function], msgspec.Meta(min_length=1)] | None = None
    function_call: Literal["none", "auto"] | Named | None = None

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]

    @property
    def prompt_tokens(self) -> int:
        said = tokens.count("\n".join(self.texts))
        images = sum(message.images for message in self.messages)
        return said + tokens.PER_MESSAGE * len(self.messages) + tokens.PER_IMAGE * images

    @property
    def token_limit(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    def last_said_by(self, roles: Iterable[str]) -> str | None:
        return next((message.text for message in reversed(self.messages) if message.role in roles), None)


Tokens: TypeAlias = list[int]
Texts: TypeAlias = str | list[str | int | Tokens]


def texts_of(given: Texts) -> list[str]:
    """A text, some texts, one text as tokens, or some texts as tokens; a token speaks as its number."""
    if isinstance(given, str):
        return [given]
    if given and all(isinstance(each, int) for each in given):
        return [" ".join(map(str, given))]
    return [each if isinstance(each, str) else " ".join(map(str, _list(each))) for each in given]


def _list(each: int | Tokens) -> Tokens:
    return each if isinstance(each, list) else [each]


class CompletionRequest(Sampling, kw_only=True):
    prompt: Texts = ""
    echo: bool | None = None
    suffix: str | None = None
    logprobs: TopLogprobs | None = None

    @property
    def texts(self) -> list[str]:
        return texts_of(self.prompt) or [""]

    @property
    def token_limit(self) -> int | None:
        return self.max_tokens


class EmbeddingRequest(msgspec.Struct, kw_only=True):
    input: str | Annotated[list[str | int | Tokens], msgspec.Meta(min_length=1, max_length=2048)]
    model: str | None = None
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=4096)] | None = None

    @property
    def texts(self) -> list[str]:
        return texts_of(self.input)
