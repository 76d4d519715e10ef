"""The nouns of evaluation: what an experiment declares, a run of it, the measures taken, the gate's report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from opsloop.evaluation.rules import Rule
from opsloop.evaluation.verdicts import Decision, Verdict

RunId = NewType("RunId", str)

MAX_FAILED = 0.2
"""Rows beyond which a gate does not pass what failed on them: a loss of a fifth makes any conclusion doubtful (K. F.
Schulz, D. A. Grimes, Sample size slippages in randomised trials, Lancet 359 (2002), 781-785, the five-and-twenty rule).
"""


@dataclass(frozen=True, slots=True)
class ExperimentDataset:
    """A dataset of an experiment; `mappings` says which column feeds which input of the flow.

    `name` is what the experiment calls it, `registered` the version that is used where that is another.
    """

    name: str
    source: str | None = None
    description: str = ""
    mappings: Mapping[str, Any] = field(default_factory=dict)
    registered: str | None = None

    @property
    def ref(self) -> str:
        """What the dataset is registered as: `golden`, or a version such as `golden@3`."""
        return self.registered or self.name


@dataclass(frozen=True, slots=True)
class ExperimentEvaluator:
    """A measure to take.

    `metric` is the name of what it gives. `function` is the user's own (`module:name`, or `file.py:name` whose text is
    `source`). `mappings` feed its inputs where the usual columns and outputs do not;
    `datasets` holds those it is for, with mappings of their own, and is empty when it is for all.

    Attributes:
        flow: the Prompt flow evaluation flow that measures, as a version such as `grading@2`; None for a measure by
            name.
        joined: by a dataset it is for, the one whose rows its `${data.…}` reads, which stands beside it row by row.
        init: what the class of a flex flow is made with.
        higher_is_better: of what an evaluation flow gives.
        worst: what a row counts for which an evaluation flow gives no figure; None when such a row has no value.
    """

    name: str
    metric: str
    mappings: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    datasets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    flow: str | None = None
    joined: Mapping[str, ExperimentDataset] = field(default_factory=dict)
    init: Mapping[str, Any] | None = None
    higher_is_better: bool = True
    worst: float | None = None
    function: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class GateSpec:
    """What a candidate must meet.

    `baseline` says what rules with a margin compare with: `stable` (the run of the endpoint's stable release) or the
    id of a run. Rows with the same value in column `cluster_by` are not independent and are counted as one group.

    Attributes:
        key: the column by which rows are matched when the baseline ran on another version of the data.
        slices: by name, conditions on the columns of a row, as `opsloop.evaluation.slices` reads them.
        max_failed: the share of rows on which a run may fail; beyond it nothing passes.
        max_missing: the share of rows that may have no figure; unset: a fifth may lack it because it could not be
            taken or stands on one side only, and fewer than half may have none at all.
    """

    rules: tuple[Rule, ...]
    alpha: float = 0.05
    baseline: str = "stable"
    cluster_by: str | None = None
    key: str | None = None
    slices: Mapping[str, Any] = field(default_factory=dict)
    max_failed: float = MAX_FAILED
    max_missing: float | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a run, or all runs of a study, may use: tokens and US dollars of models, calls of them, time."""

    tokens: int | None = None
    usd: float | None = None
    calls: int | None = None
    minutes: float | None = None


class By(StrEnum):
    """How runs are made of variants: one node changed at a time, every combination, or combinations in rounds."""

    ONE_BY_ONE = "one_by_one"
    FULL_FACTORIAL = "full_factorial"
    SUCCESSIVE_HALVING = "successive_halving"


@dataclass(frozen=True, slots=True)
class VariantsSpec:
    """The runs that an experiment makes of the variants of a flow's nodes.

    Attributes:
        select: `node.variant` or `variant`, each a variant to run; None for all.
        metric: by which runs are compared while they go on; None to let all run to their end.
        alpha: chance that the best of them is stopped for losing.
        low, high: between which the metric of a row lies.
    """

    select: tuple[str, ...] | None = None
    by: By = By.ONE_BY_ONE
    metric: str | None = None
    alpha: float = 0.05
    low: float = 0.0
    high: float = 1.0
    higher_is_better: bool = True


class Speaks(StrEnum):
    """What a service understands: the inputs of a flow, or OpenAI's chat completions."""

    INVOKE = "invoke"
    OPENAI = "openai"


@dataclass(frozen=True, slots=True)
class Target:
    """What is evaluated in place of a flow: one of `version`, `endpoint`, `function` (`module:name`) and `url`.

    Attributes:
        version: of a registered model, such as `iris@3` or `iris@champion`.
        coverage: the share of truths that intervals of a registered model are to cover, above 0 and below 1.
        model: as the service calls it.
        key_variable: environment variable with the service's key.
        outputs: names of what it gives; empty for those that are known of it.
    """

    endpoint: str | None = None
    function: str | None = None
    url: str | None = None
    speaks: Speaks = Speaks.INVOKE
    model: str | None = None
    key_variable: str | None = None
    outputs: tuple[str, ...] = ()
    timeout_s: float = 120.0
    version: str | None = None
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class Experiment:
    """A flow over datasets under evaluators, each row `repeats` times; `seed` makes every draw repeatable.

    Attributes:
        connections: by name, as a file of connections has them; values of the environment are looked up in a run.
        environment_variables: set while rows run, where the environment does not have them; `${NAME}` is another one.
        init: what the class of a flex flow is made with.
    """

    name: str
    datasets: tuple[ExperimentDataset, ...]
    evaluators: tuple[ExperimentEvaluator, ...]
    flow: str | None = None
    repeats: int = 1
    seed: int = 0
    gate: GateSpec | None = None
    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    environment_variables: Mapping[str, str] = field(default_factory=dict)
    init: Mapping[str, Any] | None = None
    budget: Budget | None = None
    variants: VariantsSpec | None = None
    target: Target | None = None


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (RunStatus.DONE, RunStatus.FAILED)


@dataclass(frozen=True, slots=True)
class RunDataset:
    """A dataset version that a run used; equal digests mean equal rows."""

    ref: str
    digest: str
    rows: int


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """A metric over the rows of a run.

    Attributes:
        value: mean over `rows` rows; None when there were none.
        low, high: 95 % interval of the mean.
        failed: rows that count with the worst value because the flow or the measure failed on them.
        not_applicable: rows that the metric does not speak of, such as the citations of an abstention.
        p50, p95: quantiles over the rows.
        is_aggregate: whether it is a figure of all rows together and no mean; `rows` are then those it speaks of.
    """

    value: float | None
    low: float | None
    high: float | None
    rows: int
    failed: int
    not_applicable: int
    p50: float | None
    p95: float | None
    higher_is_better: bool
    unit: str
    is_aggregate: bool = False


@dataclass(frozen=True, slots=True)
class AskedUse:
    """What one evaluator asked models for one row, and what that cost in US dollars; None when it is not known."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One evaluation of a flow version, such as `answer@2`, or of a model version, such as `model:iris@3`.

    `rows` counts rows times repeats; `done` of `total` says how far a running one is; `verdict` is that of the gate
    checked last.

    Attributes:
        variant: the variants of nodes that were chosen, such as `summarise.variant_1`; empty for those of the flow.
        study: what runs share that one `eval run` made; None for a run that stands alone.
        aggregates: figures that evaluation flows made of all rows, with `log_metric` or `__aggregate__`.
        cut: why not all rows were run (its budget, a variant that lost), as a sentence; None when all were.
        warnings: what to know of how the experiment was understood.
        cost_usd: of all model calls, in US dollars; None when that of one is not known.
    """

    id: RunId
    experiment: str
    flow: str
    flow_digest: str
    datasets: tuple[RunDataset, ...]
    status: RunStatus
    metrics: dict[str, MetricSummary]
    rows: int
    failed_rows: int
    done: int
    total: int
    verdict: Verdict | None
    error: str | None
    job: str
    created_at: datetime
    created_by: str
    finished_at: datetime | None
    variant: str = ""
    study: str | None = None
    aggregates: dict[str, float] = field(default_factory=dict)
    cut: str | None = None
    warnings: tuple[str, ...] = ()
    cost_usd: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    @property
    def dataset(self) -> str:
        return ", ".join(each.ref for each in self.datasets)


@dataclass(frozen=True, slots=True)
class RowRecord:
    """What became of one row: `data` is the dataset's row, `scores` the metrics, None where one does not apply.

    `errors` holds, by metric, why it could not be taken; `error` why the flow failed. A row that was not run, because a
    budget was used up say, has no scores, and `skipped` says why. `cost_usd` and the tokens are of the flow and of the
    evaluation flows and judges, in US dollars; None when they are not known.

    Attributes:
        asks: by metric, the inputs of what is still to be asked; empty in a run that is done.
        parts: by metric, what figures of all rows are computed from.
        notes: by metric, what stands beside a score, such as a judge's reason.
        asked: by metric, what evaluators asked models.
    """

    dataset: str
    row: int
    repeat: int
    data: dict[str, Any]
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    scores: dict[str, float | None]
    errors: dict[str, str]
    error: str | None
    latency_ms: float
    cost_usd: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    skipped: str | None = None
    asks: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    asked: dict[str, AskedUse] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateReport:
    """A gate's answer on a run, with the evidence.

    `waiting` holds rules that had nothing to compare with, `notes` sentences on which rows were compared and what was
    not judged.
    """

    id: str
    run: RunId
    baseline: RunId | None
    verdict: Verdict
    sentence: str
    alpha: float
    decisions: tuple[Decision, ...]
    waiting: tuple[Rule, ...]
    created_at: datetime
    created_by: str
    notes: tuple[str, ...] = ()
