"""A chat with a flow in the terminal."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click

from opsloop.cli import text
from opsloop.cli.session import Session

if TYPE_CHECKING:
    from opsloop.flows.chat_history import Turn
    from opsloop.flows.loaded import LoadedFlow


def chat(session: Session, loaded: LoadedFlow, fixed: dict[str, Any]) -> None:
    """Ask and answer until the input ends. A run that fails is told, and is no turn of the chat.

    Args:
        fixed: other inputs, the same for every turn.
    Raises: InvalidInput when the flow is no chat.
    """
    from opsloop.core.errors import InvalidInput, OpsloopError
    from opsloop.flows.chat_history import Turn, history

    flow = loaded.flow
    if flow.chat_input is None:
        wanted = "a chat flow: an input with is_chat_input, or chat_history beside a question"
        raise InvalidInput(field="flow", value=flow.name, wanted=wanted)
    session.note(f"{flow.name}: type a question, Ctrl-D ends")
    turns: list[Turn] = []
    while (question := _asked()) is not None:
        if not question.strip():
            continue
        inputs = {**flow.sample.inputs, **fixed, flow.chat_input: question}
        if flow.chat_history is not None:
            inputs[flow.chat_history] = history(flow, turns)
        try:
            answer = asyncio.run(_answered(session, loaded, inputs))
        except OpsloopError as error:
            session.note(error.sentence)
            continue
        turns.append(Turn(question, answer))


def _asked() -> str | None:
    """A question, None at the end. Lines that were pasted together are one."""
    try:
        lines = [click.prompt("you", prompt_suffix="> ", default="", show_default=False, err=True)]
    except (click.Abort, EOFError):
        click.echo("", err=True)
        return None
    while lines[-1].endswith("\\") and sys.stdin.readable():
        lines[-1] = lines[-1][:-1]
        lines.append(sys.stdin.readline().rstrip("\n"))
    return "\n".join(lines)


async def _answered(session: Session, loaded: LoadedFlow, inputs: dict[str, Any]) -> Any:
    from opsloop.flows.chat_history import chat_answer
    from opsloop.flows.results import FlowResult

    said = False
    async for event in loaded.stream(inputs):
        if isinstance(event, FlowResult):
            answer = chat_answer(loaded.flow, event.outputs)
            if not said:
                click.echo(text.plain(str(answer)), file=session.out, nl=False)
            click.echo("", file=session.out)
            return answer
        said = True
        click.echo(text.plain(event.text), file=session.out, nl=False)
        session.out.flush()
    raise AssertionError("a flow's stream ends with its result")
