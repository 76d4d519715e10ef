"""What a pipeline is declared as: which rows, what to predict, by which steps, and how that is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsloop.core.declared import Declared
from opsloop.training.catalogue import ESTIMATORS, STEPS
from opsloop.training.declared import declared
from opsloop.training.errors import PipelineInvalid
from opsloop.training.measure_names import CLASSIFICATION, METRICS, REGRESSION
from opsloop.training.search import Search, parse_search

KEYS = (
    "dataset",
    "target",
    "features",
    "task",
    "steps",
    "build",
    "train",
    "parameters",
    "weight",
    "calibrate",
    "target_transform",
    "cross_validation",
    "search",
    "holdout",
    "intervals",
    "seed",
    "compute",
)
"""The keys that `parse` knows; a caller with keys of its own takes them out first."""
TASKS = ("classification", "regression")
COMPUTES = ("local", "ray")
TRANSFORMS = ("log", "log1p")
_FUNCTION = "a Python function as file.py:name"


@dataclass(frozen=True, slots=True)
class Step:
    """One step, or the estimator that ends the steps.

    Args:
        name: of the catalogue, or a dotted class of scikit-learn.
        columns: those it takes; None: those of its kind.
        path: where it stands, for sentences.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] | None = None
    path: str = "steps"

    @property
    def is_dotted(self) -> bool:
        return "." in self.name


@dataclass(frozen=True, slots=True)
class Function:
    """A user's function that builds an estimator (`trains` false) or gives a fitted one."""

    file: str
    name: str
    trains: bool
    path: str = ""

    @property
    def ref(self) -> str:
        return f"{self.file}:{self.name}"


@dataclass(frozen=True, slots=True)
class Division:
    """How rows are kept apart.

    Args:
        by: column whose equal values stay together, such as a customer.
        time_ordered: whether later rows are predicted from earlier ones only.
        time_column: what orders them; empty: as they stand in the dataset.
    """

    by: str = ""
    time_ordered: bool = False
    time_column: str = ""


@dataclass(frozen=True, slots=True)
class CrossValidation:
    folds: int = 5
    division: Division = Division()


@dataclass(frozen=True, slots=True)
class Holdout:
    """Rows that neither fitting nor searching sees; `share` 0: none."""

    share: float = 0.2
    division: Division = Division()


@dataclass(frozen=True, slots=True)
class Intervals:
    """Args:
    alphas: shares of wrong intervals to tell the width and coverage of; any other can be asked for later.
    method: for regression `absolute` or `normalised`, for classification `lac` or `aps`; empty: the first of them.
    """

    alphas: tuple[float, ...] = (0.1,)
    method: str = ""
    by_class: bool = False


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    """A declared pipeline.

    Args:
        features: columns to predict from; empty: all that have no other part.
        task: None: found from the target.
        function: in place of steps.
        weight: column with the weight of each row; empty: all weigh the same.
        calibrate: whether probabilities are made to agree with how often the classes come.
        target_transform: `log` or `log1p` when the target's logarithm is learned; predictions are in its own scale.
        compute: None: as the setting says.
        path: where it stands, for sentences.
    """

    target: str
    dataset: str = ""
    features: tuple[str, ...] = ()
    task: str | None = None
    steps: tuple[Step, ...] = ()
    function: Function | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    weight: str = ""
    calibrate: bool = False
    target_transform: str = ""
    cross_validation: CrossValidation | None = field(default_factory=CrossValidation)
    search: Search | None = None
    holdout: Holdout = field(default_factory=Holdout)
    intervals: Intervals | None = field(default_factory=Intervals)
    seed: int = 0
    compute: str | None = None
    path: str = ""
    folder: Path | None = None

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    @property
    def apart(self) -> tuple[str, ...]:
        """Columns with a part other than that of a feature."""
        divisions = [self.holdout.division]
        if self.cross_validation is not None:
            divisions.append(self.cross_validation.division)
        found = [self.target, self.weight, *(name for each in divisions for name in (each.by, each.time_column))]
        return tuple(dict.fromkeys(name for name in found if name))


def parse(values: object, path: str = "", *, folder: Path | None = None) -> PipelineSpec:
    """The pipeline that a mapping declares. Loads nothing of scikit-learn, so options of steps are checked later.

    Args:
        path: where the mapping stands, for sentences: `pipelines.iris`.
        folder: where files of functions are; default: the working folder.
    Raises: PipelineInvalid naming the key path, the value and the wanted form.
    """
    found = declared(values, path, KEYS)
    task = found.choice("task", TASKS) if "task" in found.values else None
    function = _function(found)
    if function is not None and "steps" in found.values:
        raise found.wrong("steps", f"either steps or {'train' if function.trains else 'build'}, and not both")
    if function is None and "parameters" in found.values:
        raise found.wrong("parameters", "nothing: parameters go to a function of build or train")
    for key in ("calibrate", "target_transform"):
        if function is not None and key in found.values:
            raise found.wrong(key, f"nothing: a function of {'train' if function.trains else 'build'} does that itself")
    target = found.text("target")
    features = found.names("features")
    if target in features:
        raise found.wrong("features", f"columns other than the target {target!r}")
    metrics = {"classification": CLASSIFICATION, "regression": REGRESSION}.get(task or "", METRICS)
    cross_validation, holdout = _divided(found)
    return PipelineSpec(
        target=target,
        dataset=found.text("dataset", "") if "dataset" in found.values else "",
        features=features,
        task=task,
        steps=() if function is not None else _steps(found, task),
        function=function,
        parameters=found.mapping("parameters"),
        weight=found.optional_text("weight") or "",
        calibrate=found.flag("calibrate", False),
        target_transform=_transform(found, task),
        cross_validation=cross_validation,
        search=parse_search(found.values["search"], found.at("search"), metrics) if "search" in found.values else None,
        holdout=holdout,
        intervals=_intervals(found, task),
        seed=found.whole("seed", 0, least=0, most=2**32 - 1),
        compute=found.choice("compute", COMPUTES) if "compute" in found.values else None,
        path=path,
        folder=folder,
    )


def _function(found: Declared) -> Function | None:
    keys = [key for key in ("build", "train") if key in found.values]
    if len(keys) > 1:
        raise found.wrong("train", "either build or train, and not both")
    if not keys:
        return None
    text = found.text(keys[0])
    file, _, name = text.partition(":")
    if not file.endswith(".py") or not name.isidentifier() or Path(file).is_absolute() or ".." in Path(file).parts:
        raise found.wrong(keys[0], f"{_FUNCTION}, a path below the project's folder")
    return Function(file, name, trains=keys[0] == "train", path=found.at(keys[0]))


def _steps(found: Declared, task: str | None) -> tuple[Step, ...]:
    listed = found.listing("steps")
    if not listed:
        wanted = f"a list of steps that ends in an estimator such as {', '.join(list(ESTIMATORS)[:3])}"
        raise found.wrong("steps", f"{wanted}; or build: or train: with {_FUNCTION}")
    steps = tuple(_step(each, f"{found.at('steps')}[{place}]") for place, each in enumerate(listed))
    for step in steps[:-1]:
        if step.name in ESTIMATORS:
            raise PipelineInvalid(step.path, "a step that prepares; the estimator comes last", value=step.name)
    last = steps[-1]
    if last.name in STEPS:
        raise PipelineInvalid(last.path, f"an estimator as the last step: {', '.join(ESTIMATORS)}", value=last.name)
    if last.columns is not None:
        raise PipelineInvalid(f"{last.path}.columns", "nothing: an estimator takes what the steps give it")
    if task is not None and last.name in ESTIMATORS and not getattr(ESTIMATORS[last.name], task):
        raise PipelineInvalid(last.path, f"an estimator for {task}", value=last.name)
    return steps


def _transform(found: Declared, task: str | None) -> str:
    if "target_transform" not in found.values:
        return ""
    if task == "classification":
        raise found.wrong("target_transform", "nothing: it is for numbers, and task is classification")
    return found.choice("target_transform", TRANSFORMS)


def _step(value: object, path: str) -> Step:
    """`scale`, `{scale: {with_mean: false}}` or `{scale: {columns: [age]}}`."""
    if isinstance(value, str):
        name, options = value, {}
    elif isinstance(value, Mapping) and len(value) == 1:
        name, given = next(iter(value.items()))
        if given is not None and not isinstance(given, Mapping):
            raise PipelineInvalid(f"{path}.{name}", "a mapping of options to values", value=given)
        options = {str(key): part for key, part in (given or {}).items()}
    else:
        raise PipelineInvalid(path, "a name such as scale, or one name with options: {scale: {…}}", value=value)
    known = (*STEPS, *ESTIMATORS)
    is_class = isinstance(name, str) and name.startswith("sklearn.") and name.replace(".", "").isidentifier()
    if name not in known and not is_class:
        wanted = f"one of {', '.join(known)}, or a class such as sklearn.preprocessing.StandardScaler"
        raise PipelineInvalid(path, wanted, known=known, value=name)
    columns = None
    if "columns" in options:
        columns = declared({"columns": options.pop("columns")}, f"{path}.{name}", ("columns",)).names("columns")
        if not columns:
            raise PipelineInvalid(f"{path}.{name}.columns", "at least one column", value=[])
    return Step(str(name), options, columns, f"{path}.{name}")


def _divided(found: Declared) -> tuple[CrossValidation | None, Holdout]:
    """How rows are kept apart; what one of the two says of groups and time holds for the other, too."""
    holdout_values, validation_values = found.values.get("holdout"), found.values.get("cross_validation")
    share, held = 0.2, None
    if holdout_values is False or holdout_values == 0:
        share = 0.0
    elif isinstance(holdout_values, float):
        share = _share(found, "holdout", holdout_values)
    elif holdout_values is not None:
        part = declared(holdout_values, found.at("holdout"), ("share", "by", "time_ordered"))
        share, held = _share(part, "share", part.values.get("share", 0.2)), _division(part)
    folds, validated = 5, None
    if validation_values is not None and validation_values is not False:
        part = declared(validation_values, found.at("cross_validation"), ("folds", "by", "time_ordered"))
        folds, validated = part.whole("folds", 5, least=2, most=100), _division(part)
    division = held or validated or Division()
    holdout = Holdout(share, division)
    if validation_values is False:
        if not share:
            raise found.wrong("cross_validation", "folds, as no rows are held out: something has to measure the model")
        return None, holdout
    return CrossValidation(folds, validated or division), holdout


def _share(found: Declared, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 0.9:
        raise found.wrong(key, "a share of the rows, from 0 to 0.9")
    return float(value)


def _division(found: Declared) -> Division | None:
    by, time = found.optional_text("by") or "", found.values.get("time_ordered", False)
    if not isinstance(time, bool | str) or time == "":
        raise found.wrong("time_ordered", "true (as the rows stand), or the column that orders them")
    if by and time:
        raise found.wrong("time_ordered", "either by or time_ordered, and not both")
    if not by and not time:
        return None
    return Division(by, bool(time), time if isinstance(time, str) else "")


def _intervals(found: Declared, task: str | None) -> Intervals | None:
    values = found.values.get("intervals")
    if values is False:
        return None
    if values is None:
        return Intervals()
    part = declared(values, found.at("intervals"), ("alpha", "method", "by_class"))
    given = part.values.get("alpha", 0.1)
    alphas = tuple(given) if isinstance(given, list | tuple) else (given,)
    for alpha in alphas:
        if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 < alpha < 1:
            raise part.wrong(
                "alpha", "the share of intervals that may be wrong, above 0 and below 1, or a list of them"
            )
    known = {"classification": ("lac", "aps"), "regression": ("absolute", "normalised")}
    methods = known[task] if task else known["classification"] + known["regression"]
    method = part.choice("method", methods) if "method" in part.values else ""
    return Intervals(tuple(float(alpha) for alpha in alphas), method, part.flag("by_class", False))
