"""Where something comes from when an experiment maps nothing, by its name alone: for what users bring."""

from __future__ import annotations

from opsloop.evaluation.evaluators.registry import ANSWERS, TRUTHS

# Names that evaluators in use give the answer, the truth and what the answer was made from.
_USUAL = {
    **dict.fromkeys(("answer", "response", "prediction", "output", "actual_output"), ANSWERS),
    **dict.fromkeys(("truth", "ground_truth", "groundtruth", "expected", "reference", "expected_output"), TRUTHS),
    **dict.fromkeys(("question", "query", "input"), ("data.question", "data.query", "data.input")),
    **dict.fromkeys(("passages", "contexts", "context", "documents"), ("run.passages",)),
    **dict.fromkeys(("latency_ms", "cost_usd", "prompt_tokens", "completion_tokens"), ()),
}
_WHOLE = {"row": "data", "outputs": "run.outputs", "inputs": "run.inputs"}


def usual_of(name: str) -> tuple[str, ...]:
    """References tried in order; a truth is looked for in the data alone."""
    if name in _WHOLE:
        return (_WHOLE[name],)
    own = (f"data.{name}",) if _USUAL.get(name) == TRUTHS else (f"run.outputs.{name}", f"run.{name}", f"data.{name}")
    return tuple(dict.fromkeys((*own, *_USUAL.get(name, ()))))
