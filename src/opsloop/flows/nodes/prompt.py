"""Prompt nodes: a template rendered to text."""

from __future__ import annotations

from typing import Any

from opsloop.flows.call import Call
from opsloop.flows.formats.templates import PromptTemplate
from opsloop.flows.models import Node
from opsloop.flows.nodes.port import Kit, Runner, ToolRaised
from opsloop.flows.nodes.registry import node_type


@node_type("prompt")
def prepare_prompt(node: Node, kit: Kit) -> Runner:
    template = PromptTemplate.read(kit.file_of(node))

    async def run(inputs: dict[str, Any], call: Call) -> Any:
        outcome = await kit.threads.run(template.render, {"values": inputs})
        if outcome.error is not None:
            raise ToolRaised(outcome.error)
        return outcome.value

    # In a thread: a template can loop for long, and the loop serves others.
    return Runner(run, in_thread=template.render)
