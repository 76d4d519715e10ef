"""Running one row: whatever is wrong with it is its result."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.core.errors import OpsloopError, TimedOut
from opsloop.flows.batch_row import Row
from opsloop.flows.errors import FlowRunError
from opsloop.flows.loaded import LoadedFlow
from opsloop.flows.mapping import row_inputs
from opsloop.flows.row_result import RowResult, completed, failed


class RowTimedOut(TimedOut):
    template = "the row did not end within {timeout_s:g} s; give it more time or make the flow faster"


@dataclass(frozen=True, slots=True)
class RowRun:
    """How the rows of a batch are run.

    Args:
        timeout_s: longest time for a row, in seconds; None for as long as its nodes may take.
    """

    flow: LoadedFlow
    mapping: Mapping[str, Any]
    timeout_s: float | None = None

    async def __call__(self, row: Row) -> RowResult:
        inputs: Mapping[str, Any] = {}
        try:
            inputs = row_inputs(self.flow.flow, row.data, self.mapping, run_outputs=row.outputs, run_inputs=row.inputs)
            # Told apart from a TimeoutError of the flow's own by asking the timer.
            timer = asyncio.timeout(self.timeout_s)
            try:
                async with timer:
                    return completed(row.index, inputs, await self.flow.run(inputs))
            except TimeoutError:
                if not timer.expired():
                    raise
                raise RowTimedOut(timeout_s=self.timeout_s) from None
        except FlowRunError as error:
            return failed(row.index, inputs, error, error.result)
        except OpsloopError as error:
            return failed(row.index, inputs, error, None)
