"""What the server says when no script says it. The rules, in this order:

1. Functions are given and the last message is not a function's result: a call of the function that the request names,
   else of the one whose name and description share most words with the last user message, else of the first. Its
   arguments fit its parameters.
2. A JSON schema is asked for: a value that fits it.
3. A JSON object is asked for, by the request or in words: the last one that stands in a message of system or user
   (prompts show the form they want); where none stands and the request asks, `{"answer": …}` with the text of rule 5.
4. A score is asked for in words, such as "between 1 and 5": a whole number of that range, chosen by the words.
5. A text: `You said: ` and the last words of the last user message; after a function's result `The tool said: ` and
   that. Images are counted in it.

The second and later choices of `n` say which they are. The same request gives the same answer in every process.
"""

from __future__ import annotations

import json
import re

from opsloop.core.errors import InvalidInput
from opsloop.testing import instances
from opsloop.testing.asked_in_words import asks_for_json, number_asked_for, shown_object
from opsloop.testing.requests import (
    ChatRequest,
    Function,
    JsonObjectFormat,
    JsonSchemaFormat,
    Named,
    NamedTool,
)
from opsloop.testing.said import FunctionCall

WORDS_ECHOED = 60
NOTHING_SAID = "nothing"
RESULTS = ("tool", "function")
ASKING = ("system", "developer", "user")

# Shorter words stand in every description.
_WORD = re.compile(r"\w{4,}")


def call_of(request: ChatRequest) -> FunctionCall | None:
    """The call of rule 1. Raises: InvalidInput when no value fits a function's parameters."""
    functions = [tool.function for tool in request.tools or ()] or request.functions or []
    choice = request.tool_choice if request.tools else request.function_call
    if not functions or choice == "none" or request.messages[-1].role in RESULTS:
        return None
    said = request.last_said_by(["user"]) or ""
    function = _chosen(functions, choice, said)
    at = next(index for index, each in enumerate(functions) if each is function)
    field = f"tools[{at}].function.parameters" if request.tools else f"functions[{at}].parameters"
    arguments = instances.instance(function.parameters, words=said, field=field) if function.parameters else {}
    if not isinstance(arguments, dict):
        raise InvalidInput(field=field, value=function.parameters, wanted="a schema of type object")
    return FunctionCall(function.name, dumped(arguments))


def _chosen(functions: list[Function], choice: str | NamedTool | Named | None, said: str) -> Function:
    name = choice.function.name if isinstance(choice, NamedTool) else choice.name if isinstance(choice, Named) else None
    if name is not None:
        return _named(functions, name)
    words = set(_words(said))
    return max(
        functions, key=lambda function: len(words & set(_words(f"{function.name} {function.description or ''}")))
    )


def _named(functions: list[Function], name: str) -> Function:
    found = next((function for function in functions if function.name == name), None)
    if found is None:
        raise InvalidInput(field="tool_choice", value=name, wanted="the name of a function that the request brings")
    return found


def _words(text: str) -> list[str]:
    return _WORD.findall(text.replace("_", " ").lower())


def text_of(request: ChatRequest, choice: int = 0) -> str:
    """The text of rules 2 to 5."""
    form = request.response_format
    if isinstance(form, JsonSchemaFormat) and form.json_schema.schema is not None:
        said = request.last_said_by(["user"]) or ""
        field = "response_format.json_schema.schema"
        return dumped(instances.instance(form.json_schema.schema, words=said, field=field))
    asks = [message.text for message in request.messages if message.role in ASKING]
    if isinstance(form, JsonObjectFormat | JsonSchemaFormat):
        return dumped(shown_object(asks) or {"answer": _plain(request)})
    return _in_words(asks) or _numbered(_plain(request), choice)


def completion_of(prompt: str, choice: int = 0) -> str:
    """What goes on after a prompt of the legacy API, by rules 3 to 5."""
    return _in_words([prompt]) or _numbered(f"You said: {_echo(prompt)}", choice)


def _in_words(asks: list[str]) -> str | None:
    if asks_for_json(asks) and (shown := shown_object(asks)):
        return dumped(shown)
    number = number_asked_for(asks)
    return None if number is None else str(number)


def _plain(request: ChatRequest) -> str:
    last = request.messages[-1]
    if last.role in RESULTS:
        return f"The tool said: {_echo(last.text)}"
    said = request.last_said_by(["user"])
    text = f"You said: {_echo(last.text if said is None else said)}"
    images = sum(message.images for message in request.messages)
    return f"{text} ({images} image{'s' if images > 1 else ''})" if images else text


def _echo(text: str) -> str:
    """The last words of a text: questions come last in prompts."""
    words = text.rsplit(maxsplit=WORDS_ECHOED)
    if len(words) > WORDS_ECHOED:
        return "… " + " ".join(words[1:])
    return " ".join(words) or NOTHING_SAID


def _numbered(text: str, choice: int) -> str:
    return f"{text} (choice {choice + 1})" if choice else text


def dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
