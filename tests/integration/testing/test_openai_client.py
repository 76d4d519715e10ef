"""The official client works unchanged: every route, whole and streamed, OpenAI's way and Azure's."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import openai
import pytest

from opsloop.testing.model_server import ModelServer

ASK: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is a canary?"}]
WEATHER: Any = {
    "name": "get_weather",
    "description": "The weather at a place.",
    "parameters": {
        "type": "object",
        "properties": {"place": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "kelvin"]}},
        "required": ["place", "unit"],
    },
}
TOOL: Any = {"type": "function", "function": WEATHER}


def test_a_chat_is_answered_with_its_usage(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4o", messages=ASK)
    assert (answer.model, answer.choices[0].finish_reason) == ("gpt-4o", "stop")
    assert answer.choices[0].message.content == "You said: What is a canary?"
    assert answer.usage is not None
    # Three tokens a message and its words and points; eight for the answer.
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (14, 8, 22)


def test_the_same_request_gets_the_same_answer_from_another_server(client: openai.OpenAI) -> None:
    first = client.chat.completions.create(model="m", messages=ASK, n=2, logprobs=True)
    with ModelServer() as other:
        again = client.with_options(base_url=other.base_url).chat.completions.create(
            model="m", messages=ASK, n=2, logprobs=True
        )
    assert again == first


def test_a_stream_gives_the_text_in_pieces_and_the_usage_at_its_end(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="m", messages=ASK)
    stream = client.chat.completions.create(
        model="m", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert len([piece for piece in pieces if piece]) > 3
    assert "".join(pieces) == whole.choices[0].message.content
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_a_stream_has_no_usage_when_nobody_asked_for_it(client: openai.OpenAI) -> None:
    assert all(chunk.choices and chunk.usage is None for chunk in _streamed(client))


def _streamed(client: openai.OpenAI, **more: Any) -> list[Any]:
    return list(client.chat.completions.create(model="m", messages=ASK, stream=True, **more))


def test_several_choices_differ_and_keep_their_index_in_a_stream(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="m", messages=ASK, n=3)
    texts = [choice.message.content for choice in whole.choices]
    assert len(set(texts)) == 3
    streamed = ["", "", ""]
    for chunk in _streamed(client, n=3):
        streamed[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert streamed == texts


def test_an_answer_ends_at_a_stop_word_or_at_the_limit_of_tokens(client: openai.OpenAI) -> None:
    stopped = client.chat.completions.create(model="m", messages=ASK, stop=[" canary", "?"])
    assert (stopped.choices[0].message.content, stopped.choices[0].finish_reason) == ("You said: What is a", "stop")
    cut = client.chat.completions.create(model="m", messages=ASK, max_tokens=4)
    assert (cut.choices[0].message.content, cut.choices[0].finish_reason) == ("You said: What", "length")
    assert cut.usage is not None
    assert cut.usage.completion_tokens == 4


def test_logprobs_come_when_asked_for_and_spell_the_answer(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="m", messages=ASK, logprobs=True, top_logprobs=2)
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert "".join(each.token for each in logprobs.content) == answer.choices[0].message.content
    assert all(each.logprob < 0 and len(each.top_logprobs) == 2 for each in logprobs.content)
    assert client.chat.completions.create(model="m", messages=ASK).choices[0].logprobs is None


def test_a_tool_is_called_with_arguments_that_fit_and_its_result_is_spoken_of(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="m", messages=ASK, tools=[TOOL])
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls is not None
    [call] = choice.message.tool_calls
    assert call.type == "function"
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"place": "What is a canary?", "unit": "celsius"}

    result = {"role": "tool", "tool_call_id": call.id, "content": "a small bird"}
    messages: Any = [*ASK, choice.message.model_dump(exclude_none=True), result]
    final = client.chat.completions.create(model="m", messages=messages, tools=[TOOL])
    assert final.choices[0].message.content == "The tool said: a small bird"


def test_a_streamed_call_of_a_tool_is_the_same_call(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="m", messages=ASK, tools=[TOOL])
    with client.chat.completions.stream(model="m", messages=ASK, tools=[TOOL]) as stream:
        streamed = stream.get_final_completion()
    for answer in (whole, streamed):
        assert answer.choices[0].finish_reason == "tool_calls"
    calls = [answer.choices[0].message.tool_calls or [] for answer in (whole, streamed)]
    assert [
        (call.id, call.function.name, call.function.arguments)
        for each in calls
        for call in each
        if call.type == "function"
    ] == [("call_1_1", "get_weather", '{"place": "What is a canary?", "unit": "celsius"}')] * 2


def test_the_tool_that_is_named_is_called_and_none_when_none_may_be(client: openai.OpenAI) -> None:
    other = {"type": "function", "function": {"name": "look_up_canary"}}
    tools: Any = [TOOL, other]

    def called(**choice: Any) -> list[str]:
        message = client.chat.completions.create(model="m", messages=ASK, tools=tools, **choice).choices[0].message
        return [call.function.name for call in message.tool_calls or [] if call.type == "function"]

    assert called() == ["look_up_canary"]
    assert called(tool_choice={"type": "function", "function": {"name": "get_weather"}}) == ["get_weather"]
    assert called(tool_choice="none") == []


def test_legacy_functions_are_called_in_the_legacy_form(client: openai.OpenAI) -> None:
    choice = client.chat.completions.create(model="m", messages=ASK, functions=[WEATHER]).choices[0]
    assert choice.finish_reason == "function_call"
    assert choice.message.tool_calls is None
    assert choice.message.function_call is not None
    assert choice.message.function_call.name == "get_weather"
    arguments = [chunk.choices[0].delta.function_call for chunk in _streamed(client, functions=[WEATHER])]
    assert "".join(each.arguments for each in arguments if each) == choice.message.function_call.arguments
    messages: Any = [*ASK, {"role": "function", "name": "get_weather", "content": "rain"}]
    final = client.chat.completions.create(model="m", messages=messages, functions=[WEATHER])
    assert final.choices[0].message.content == "The tool said: rain"


def test_a_json_object_is_json(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="m", messages=ASK, response_format={"type": "json_object"})
    assert json.loads(answer.choices[0].message.content or "") == {"answer": "You said: What is a canary?"}


def test_a_json_object_takes_the_form_that_the_prompt_shows(client: openai.OpenAI) -> None:
    asks: Any = [{"role": "system", "content": 'Answer as JSON: {"score": 3, "why": {"en": "…"}}'}, ASK[1]]
    answer = client.chat.completions.create(model="m", messages=asks, response_format={"type": "json_object"})
    assert json.loads(answer.choices[0].message.content or "") == {"score": 3, "why": {"en": "…"}}


def test_a_json_schema_is_met(client: openai.OpenAI) -> None:
    schema = {"type": "object", "properties": {"score": {"type": "integer", "minimum": 3}}, "required": ["score"]}
    form: Any = {"type": "json_schema", "json_schema": {"name": "grade", "schema": schema, "strict": True}}
    answer = client.chat.completions.create(model="m", messages=ASK, response_format=form)
    assert json.loads(answer.choices[0].message.content or "") == {"score": 3}


def test_images_are_taken_and_counted(client: openai.OpenAI) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    messages: Any = [{"role": "user", "content": [{"type": "text", "text": "Describe this"}, image, image]}]
    answer = client.chat.completions.create(model="m", messages=messages)
    assert answer.choices[0].message.content == "You said: Describe this (2 images)"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 3 + 2 + 2 * 85


def test_completions_go_on_from_each_prompt(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="m", prompt=["one", "two"], n=2, logprobs=1)
    assert [choice.text for choice in answer.choices] == [
        "You said: one",
        "You said: one (choice 2)",
        "You said: two",
        "You said: two (choice 2)",
    ]
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert (logprobs.tokens, logprobs.text_offset) == (["You", " said", ":", " one"], [0, 3, 8, 9])
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 2


def test_completions_stream(client: openai.OpenAI) -> None:
    stream = client.completions.create(
        model="m", prompt="one", stream=True, stream_options={"include_usage": True}, echo=True
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == "oneYou said: one"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None


def test_embeddings_are_unit_vectors_and_near_when_words_are_shared(client: openai.OpenAI) -> None:
    # Without a wish of its own the client asks for base64; with one it asks for numbers.
    packed = client.embeddings.create(model="m", input=["roll back a release", "roll back a canary", "bake bread"])
    plain = client.embeddings.create(model="m", input="roll back a release", encoding_format="float")
    first, near, far = (each.embedding for each in packed.data)
    assert first == pytest.approx(plain.data[0].embedding)
    assert len(first) == 1536
    assert _dot(first, first) == pytest.approx(1)
    assert _dot(first, near) > 0.5 > _dot(first, far)


def _dot(one: list[float], other: list[float]) -> float:
    return math.fsum(left * right for left, right in zip(one, other, strict=True))


def test_embeddings_of_tokens_and_of_other_lengths(client: openai.OpenAI) -> None:
    texts = client.embeddings.create(model="m", input=["1 2", "3"], dimensions=8)
    lists = client.embeddings.create(model="m", input=[[1, 2], [3]], dimensions=8)
    assert [each.embedding for each in lists.data] == [each.embedding for each in texts.data]
    one = client.embeddings.create(model="m", input=[1, 2], dimensions=8)
    assert one.data[0].embedding == texts.data[0].embedding
    assert len(one.data[0].embedding) == 8
    assert len(client.embeddings.create(model="text-embedding-3-large", input="x").data[0].embedding) == 3072


def test_azure_names_the_deployment_as_the_model(azure: openai.AzureOpenAI) -> None:
    assert azure.chat.completions.create(model="my-gpt", messages=ASK).model == "my-gpt"
    assert azure.completions.create(model="my-davinci", prompt="one").choices[0].text == "You said: one"
    assert azure.embeddings.create(model="my-ada", input="x").model == "my-ada"


def test_an_azure_stream_begins_with_an_event_without_choices(azure: openai.AzureOpenAI) -> None:
    chunks = list(azure.chat.completions.create(model="my-gpt", messages=ASK, stream=True))
    assert chunks[0].choices == []
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[1:])
    assert text == "You said: What is a canary?"


def test_azure_without_a_version_is_not_found(server: ModelServer, client: openai.OpenAI) -> None:
    bare = client.with_options(base_url=f"{server.url}/openai/deployments/my-gpt")
    with pytest.raises(openai.NotFoundError, match="api-version is missing"):
        bare.chat.completions.create(model="m", messages=ASK)


@pytest.mark.parametrize("prefix", ["", "/v1", "/openai/v1"])
def test_openai_paths_with_and_without_a_prefix(server: ModelServer, client: openai.OpenAI, prefix: str) -> None:
    here = client.with_options(base_url=server.url + prefix)
    assert here.chat.completions.create(model="m", messages=ASK).choices
    assert here.embeddings.create(model="m", input="x").data
    assert "gpt-4o" in [model.id for model in here.models.list()]


def test_the_async_client_is_answered_at_once_for_all(server: ModelServer) -> None:
    async def ask_many() -> list[str | None]:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="any") as client:
            asks = [_ask(client, str(number)) for number in range(10)]
            return await asyncio.gather(*asks)

    assert asyncio.run(ask_many()) == [f"You said: {number}" for number in range(10)]
    assert server.count("chat") == 10


async def _ask(client: openai.AsyncOpenAI, text: str) -> str | None:
    answer = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])
    return answer.choices[0].message.content


def test_clients_find_the_server_by_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer(api_key="secret") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        with openai.OpenAI() as client, openai.AzureOpenAI() as azure:
            for each in (client, azure):
                assert each.chat.completions.create(model="m", messages=ASK).choices


def test_a_server_opens_in_async_code_too() -> None:
    async def ask() -> str | None:
        async with ModelServer() as server, openai.AsyncOpenAI(base_url=server.base_url, api_key="any") as client:
            return await _ask(client, "hello")

    assert asyncio.run(ask()) == "You said: hello"
