"""`opsloop.yaml`: what a project wants the platform to look like.

    project: support-chatbot
    description: Answers questions from a handbook.
    settings: {port: 8701}
    collections: {handbook: {source: data/handbook, chunking: sentences, readers: [role:operator], retention_days: 365}}
    datasets:
      handbook-questions:
        {source: data/questions.jsonl, tags: [golden], expectations: suite.json, on_broken: refuse, pii: report,
         holdout: {share: 0.2, by: topic}}
    experiments: {answers: {file: experiment.yaml}}
    preparations: {golden: {read: {source: data/raw.csv}, clean: […], register: {as: golden}}}
    pipelines: {iris: {dataset: iris, target: species, steps: [scale, logistic_regression], schedule: "0 3 * * *"}}
    endpoints:
      support-chat: {flow: flows/answer, experiment: answers, strategy: {…}, config: {…}, guardrails: {answers: {…}}}
    endpoints: {iris: {model: iris, drift: {…}, renewal: {pipeline: iris, on: [drift]}, strategy: shadow}}
    surveys: {after-chat: {title: How did we do?, questions: [{id: csat, kind: csat, ask: …}]}}
    limits: {default: {requests_per_minute: 100}, keys: {reports: {usd_per_day: 5}}, endpoints: {iris: {concurrent: 8}}}
    drill: {endpoint: iris, rows: wrong.csv, experiment: wrong.yaml}
    demo: {…}

    alerts: {channels: {oncall: {webhook: "${env:HOOK}"}}, rules: {slow: {metric: mean_ms, above: 1500}, drift: false}}

An endpoint may have `objectives: {availability: 0.999, latency: {within_ms: 500, target: 0.99}}`, and
`environment: staging`.

What is wrong is refused with file, line and key path; an unknown key also with the nearest known one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from opsloop.client import (
    project_collections,
    project_guardrails,
    project_limits,
    project_models,
    project_pipelines,
    yaml_lines,
)
from opsloop.client.project_collections import CollectionWanted
from opsloop.client.project_limits import LimitWanted
from opsloop.client.project_models import ModelEndpointWanted
from opsloop.client.project_pipelines import PipelineWanted
from opsloop.client.yaml_lines import KeyPath
from opsloop.core.errors import InvalidInput, NotFound, shown

FILE = "opsloop.yaml"
# What the server takes as a name: it stands in URLs and in `name@3`.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NAME_FORM = "1 to 100 letters, digits, '.', '_' or '-'"


@dataclass(frozen=True, slots=True)
class HoldoutWanted:
    """A share of the rows to hold out; rows with the same value in column `by` stay together."""

    share: float
    seed: int = 0
    by: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetWanted:
    """A file that is to be a dataset, and what must hold of its versions; None where nothing is declared.

    `elsewhere` is the address of a table, files or objects, as text or as a mapping; `source` is then the project's
    folder.
    """

    name: str
    source: Path
    tags: tuple[str, ...] = ()
    expectations: tuple[dict[str, Any], ...] | None = None
    on_broken: str | None = None
    pii: str | None = None
    elsewhere: str | dict[str, Any] | None = None
    holdout: HoldoutWanted | None = None


@dataclass(frozen=True, slots=True)
class PreparationWanted:
    """A preparation as it is declared; files it names lie in `folder`."""

    name: str
    folder: Path
    declared: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EndpointWanted:
    """An endpoint and the flow it is to serve; `experiment` names the gate the flow has to pass.

    `guardrails` is the whole policy; None where nothing is declared, and whatever there is stays.
    """

    name: str
    flow: Path
    experiment: str | None
    strategy: dict[str, Any] | None
    config: dict[str, Any]
    guardrails: dict[str, Any] | None = None
    keep_texts: Any = None
    scoring: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """A folder and what its `opsloop.yaml` wants; all paths are absolute."""

    folder: Path
    name: str
    description: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    collections: Mapping[str, CollectionWanted] = field(default_factory=dict)
    datasets: Mapping[str, DatasetWanted] = field(default_factory=dict)
    preparations: Mapping[str, PreparationWanted] = field(default_factory=dict)
    pipelines: Mapping[str, PipelineWanted] = field(default_factory=dict)
    experiments: Mapping[str, Path] = field(default_factory=dict)
    endpoints: Mapping[str, EndpointWanted] = field(default_factory=dict)
    model_endpoints: Mapping[str, ModelEndpointWanted] = field(default_factory=dict)
    objectives: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    environments: Mapping[str, str | None] = field(default_factory=dict)
    channels: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)
    surveys: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    limits: Mapping[str, LimitWanted] = field(default_factory=dict)
    drill: Mapping[str, Any] = field(default_factory=dict)
    demo: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[KeyPath, int] = field(default_factory=dict, repr=False)

    def place(self, at: KeyPath) -> str:
        """Where a key stands, as a sentence starts: `…/opsloop.yaml:12: endpoints.support-chat.flow`."""
        line = next((self.lines[at[:end]] for end in range(len(at), 0, -1) if at[:end] in self.lines), 1)
        return f"{self.folder / FILE}:{line}: {'.'.join(at)}"


class ProjectMissing(NotFound):
    template = (
        "no {file} in {folder}; make a project with `opsloop init DIR --template NAME`, "
        "or name its folder with --project"
    )


class ProjectInvalid(InvalidInput):
    """Something in `opsloop.yaml` is wrong: file, line, key path, value, wanted form."""


class KeyUnknown(ProjectInvalid):
    """A key that nothing reads."""

    def __init__(self, place: str, at: KeyPath, known: Iterable[str]) -> None:
        names = sorted(known)
        near = _near(at[-1], names) or (f"; known here: {', '.join(names)}" if len(names) < 10 else "")
        super().__init__(f"{place} is not known{near}", field=".".join(at))


def find(start: Path) -> Path | None:
    """The nearest folder with an `opsloop.yaml`: `start` or one above it."""
    return next((folder for folder in (start, *start.parents) if (folder / FILE).is_file()), None)


def load(folder: Path) -> Project:
    """The project in a folder. Raises: ProjectMissing, ProjectInvalid, YamlUnreadable."""
    folder = folder.resolve()
    if not (folder / FILE).is_file():
        raise ProjectMissing(file=FILE, folder=folder)
    document = yaml_lines.read(folder / FILE)
    return _Checked(Project(folder=folder, name=folder.name, lines=document.lines), document.values).project()


def nearest(folder: Path | None = None) -> Project:
    """The project to work on: the one in `folder`; without it the nearest above here, else an empty one here.

    Raises: ProjectMissing for a `folder` that holds none, and what `load` raises.
    """
    if folder is not None:
        return load(folder)
    here = Path.cwd()
    found = find(here)
    return load(found) if found is not None else Project(folder=here, name=here.name)


class _Checked:
    """Reads the mapping key by key, so that every complaint can name its place."""

    def __init__(self, empty: Project, values: Mapping[str, Any]) -> None:
        self._empty = empty
        self._values = values

    def project(self) -> Project:
        sections = (
            "project", "description", "settings", "collections", "datasets", "preparations", "pipelines",
            "experiments", "endpoints", "limits", "alerts", "surveys", "drill", "demo",
        )  # fmt: skip
        values = self._values
        self._only((), values, sections)
        project = replace(
            self._empty,
            name=self._text(("project",), values.get("project", self._empty.name)),
            description=self._text(("description",), values["description"]) if values.get("description") else "",
            settings=self._settings(values),
            collections={name: self._collection(name, each) for name, each in self._named(values, "collections")},
            datasets={name: self._dataset(name, each) for name, each in self._named(values, "datasets")},
            preparations={name: self._preparation(name, each) for name, each in self._named(values, "preparations")},
            pipelines={name: self._pipeline(name, each) for name, each in self._named(values, "pipelines")},
            experiments={name: self._experiment(name, each) for name, each in self._named(values, "experiments")},
            endpoints={
                name: self._endpoint(name, each)
                for name, each in self._named(values, "endpoints")
                if "model" not in each
            },
            objectives={
                name: self._objectives(name, each["objectives"])
                for name, each in self._named(values, "endpoints")
                if each.get("objectives") is not None
            },
            environments={
                name: self._environment(name, each["environment"])
                for name, each in self._named(values, "endpoints")
                if "environment" in each
            },
            channels=self._alerts(values, "channels"),
            rules=self._alerts(values, "rules"),
            surveys={name: self._survey(name, each) for name, each in self._named(values, "surveys")},
            limits=self._limits(values),
            drill=self._mapping(("drill",), values.get("drill")),
            demo=self._mapping(("demo",), values.get("demo")),
        )
        project = replace(
            project,
            model_endpoints={
                name: self._model_endpoint(name, each, project.pipelines)
                for name, each in self._named(values, "endpoints")
                if "model" in each
            },
        )
        for name, endpoint in project.endpoints.items():
            if endpoint.experiment is not None and endpoint.experiment not in project.experiments:
                at = ("endpoints", name, "experiment")
                wanted = "the name of one of the experiments" + _near(endpoint.experiment, project.experiments)
                raise self._wrong(at, endpoint.experiment, wanted)
        return project

    def _settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        found = self._mapping(("settings",), values.get("settings"))
        for key, value in found.items():
            if not key.islower():
                raise self._wrong(("settings", key), value, f"a setting's name in lower case: {key.lower()}")
            if isinstance(value, dict | list):
                raise self._wrong(("settings", key), value, "one value")
        return found

    def _collection(self, name: str, wanted: Mapping[str, Any]) -> CollectionWanted:
        at = ("collections", name)
        self._only(at, wanted, project_collections.KEYS)
        source = self._path(at, wanted, "source")
        try:
            return project_collections.checked(name, source, wanted)
        except InvalidInput as error:
            wrong = error.facts
            raise self._wrong((*at, wrong["field"]), wrong["value"], wrong["wanted"]) from None

    def _dataset(self, name: str, wanted: Mapping[str, Any]) -> DatasetWanted:
        at = ("datasets", name)
        self._only(at, wanted, ("source", "tags", "expectations", "on_broken", "pii", "holdout"))
        tags = wanted.get("tags", [])
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise self._wrong((*at, "tags"), tags, "a list of texts such as [golden]")
        elsewhere = self._elsewhere((*at, "source"), wanted.get("source"))
        return DatasetWanted(
            name,
            self._path(at, wanted, "source") if elsewhere is None else self._empty.folder,
            tuple(tags),
            elsewhere=elsewhere,
            expectations=self._expectations((*at, "expectations"), wanted.get("expectations")),
            on_broken=self._one_of((*at, "on_broken"), wanted.get("on_broken"), ("refuse", "warn")),
            pii=self._one_of((*at, "pii"), wanted.get("pii"), ("report", "refuse", "allow")),
            holdout=self._holdout((*at, "holdout"), wanted.get("holdout")),
        )

    def _elsewhere(self, at: KeyPath, value: Any) -> str | dict[str, Any] | None:
        """The address of rows that are no file of the project; None of one that is."""
        from opsloop.datasets.connectors import address  # only who declares datasets needs it

        if not isinstance(value, dict) and not (isinstance(value, str) and ("*" in value or address.is_address(value))):
            return None
        from opsloop.datasets.preparation import declaration

        with self._placed(at):
            declaration.source_of("source", value)
        return value

    def _preparation(self, name: str, wanted: Mapping[str, Any]) -> PreparationWanted:
        from opsloop.datasets.preparation import declaration  # brings the steps: few projects declare any

        with self._placed(("preparations", name)):
            declaration.parse(dict(wanted))
        return PreparationWanted(name, self._empty.folder, dict(wanted))

    def _pipeline(self, name: str, wanted: Mapping[str, Any]) -> PipelineWanted:
        with self._placed(("pipelines", name)):
            return project_pipelines.checked(name, self._empty.folder, wanted)

    def _survey(self, name: str, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        from opsloop.feedback.surveys import declaration  # few projects declare any

        with self._placed(("surveys", name)):
            declaration.parse(wanted)
        return dict(wanted)

    def _limits(self, values: Mapping[str, Any]) -> dict[str, LimitWanted]:
        found = self._mapping(("limits",), values.get("limits"))
        with self._placed(("limits",)):
            return project_limits.checked(found)

    @contextmanager
    def _placed(self, at: KeyPath) -> Iterator[None]:
        """What is wrong in a part that somebody else checks, with its place."""
        try:
            yield
        except InvalidInput as error:
            raise ProjectInvalid(f"{self._place(at)}: {error.sentence}", field=".".join(at)) from None

    def _expectations(self, at: KeyPath, value: Any) -> tuple[dict[str, Any], ...] | None:
        """A list of expectations, or a file of them, which may be a suite of Great Expectations."""
        if value is None:
            return None
        from opsloop.client import suites  # brings the kinds of expectations: few projects declare any

        try:
            if isinstance(value, str):
                return suites.read(self._path(at[:-1], {at[-1]: value}, at[-1])).declared
            return suites.declared_in(value)
        except ProjectInvalid:
            raise
        except InvalidInput as error:
            raise ProjectInvalid(f"{self._place(at)}: {error.sentence}", field=".".join(at)) from None

    def _holdout(self, at: KeyPath, value: Any) -> HoldoutWanted | None:
        if value is None:
            return None
        found = self._mapping(at, value)
        self._only(at, found, ("share", "seed", "by"))
        share, seed, by = found.get("share"), found.get("seed", 0), found.get("by")
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
            raise self._wrong((*at, "share"), share, "a share above 0 and below 1, such as 0.2")
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise self._wrong((*at, "seed"), seed, "a whole number of at least 0")
        return HoldoutWanted(float(share), seed, None if by is None else self._text((*at, "by"), by))

    def _one_of(self, at: KeyPath, value: Any, known: Collection[str]) -> str | None:
        if value is None or (isinstance(value, str) and value in known):
            return value
        raise self._wrong(at, value, f"one of {', '.join(known)}")

    def _experiment(self, name: str, wanted: Mapping[str, Any]) -> Path:
        self._only(("experiments", name), wanted, ("file",))
        return self._path(("experiments", name), wanted, "file")

    def _endpoint(self, name: str, wanted: Mapping[str, Any]) -> EndpointWanted:
        at = ("endpoints", name)
        self._only(
            at,
            wanted,
            (
                *("flow", "experiment", "strategy", "config", "guardrails", "objectives"),
                *("environment", "keep_texts", "scoring"),
            ),
        )
        experiment = wanted.get("experiment")
        strategy = wanted.get("strategy")
        return EndpointWanted(
            name=name,
            flow=self._path(at, wanted, "flow"),
            experiment=None if experiment is None else self._text((*at, "experiment"), experiment),
            strategy=None if strategy is None else self._strategy((*at, "strategy"), strategy),
            config=self._mapping((*at, "config"), wanted.get("config")),
            guardrails=self._guardrails(at, wanted),
            keep_texts=self._keep_texts(at, wanted.get("keep_texts")),
            scoring=None if wanted.get("scoring") is None else self._mapping((*at, "scoring"), wanted["scoring"]),
        )

    def _guardrails(self, at: KeyPath, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
        if "guardrails" not in wanted:
            return None
        with self._placed(at):
            return project_guardrails.checked(wanted["guardrails"])

    def _keep_texts(self, at: KeyPath, value: Any) -> Any:
        if value is not None:
            from opsloop.releases import kept_texts  # few projects keep any

            with self._placed(at):
                kept_texts.parse(value)
        return value

    def _model_endpoint(
        self, name: str, wanted: Mapping[str, Any], pipelines: Mapping[str, PipelineWanted]
    ) -> ModelEndpointWanted:
        at = ("endpoints", name)
        self._only(at, wanted, project_models.KEYS)
        self._mapping((*at, "config"), wanted.get("config"))
        strategy = wanted.get("strategy")
        declared = None if strategy is None else self._strategy((*at, "strategy"), strategy)
        with self._placed(at):
            return project_models.checked(name, wanted, declared, pipelines)

    def _objectives(self, name: str, value: Any) -> dict[str, Any]:
        from opsloop.monitoring.objectives import declaration

        at = ("endpoints", name, "objectives")
        with self._placed(at):
            declaration.parse(value)
        return dict(value)

    def _environment(self, name: str, value: Any) -> str | None:
        from opsloop.releases import environments  # few projects declare any

        with self._placed(("endpoints", name)):
            return environments.parse(value)

    def _alerts(self, values: Mapping[str, Any], kind: Literal["channels", "rules"]) -> dict[str, Any]:
        found = self._mapping(("alerts",), values.get("alerts"))
        if not found:
            return {}
        from opsloop.monitoring.alerts import channels, rules  # few projects declare any

        self._only(("alerts",), found, ("channels", "rules"))
        declared = self._mapping(("alerts", kind), found.get(kind))
        for name, each in declared.items():
            at = ("alerts", kind, name)
            if not _NAME.fullmatch(name):
                raise self._wrong(at, name, _NAME_FORM)
            if each is not False or kind == "channels":
                with self._placed(at):
                    (channels.parse if kind == "channels" else rules.parse)(name, each, name)
        return declared

    def _strategy(self, at: KeyPath, value: Any) -> dict[str, Any]:
        if isinstance(value, str):
            return {value: {}}
        found = self._mapping(at, value)
        if len(found) != 1:
            raise self._wrong(at, value, "one strategy with its options, such as {canary: {steps: […]}}")
        return found

    def _named(self, values: Mapping[str, Any], section: str) -> list[tuple[str, dict[str, Any]]]:
        found = self._mapping((section,), values.get(section))
        for name in found:
            if not _NAME.fullmatch(name):
                raise self._wrong((section, name), name, _NAME_FORM)
        return [(name, self._mapping((section, name), each)) for name, each in found.items()]

    def _only(self, at: KeyPath, found: Mapping[str, Any], known: Collection[str]) -> None:
        for key in found:
            if key not in known:
                raise KeyUnknown(self._place((*at, key)), (*at, key), known)

    def _path(self, at: KeyPath, found: Mapping[str, Any], key: str) -> Path:
        if key not in found:
            raise ProjectInvalid(f"{self._place(at)}: {key} is missing; wanted a path", field=".".join((*at, key)))
        path = self._empty.folder / self._text((*at, key), found[key])
        if not path.exists():
            raise self._wrong((*at, key), found[key], "the path of something that exists, from the project's folder")
        return path

    def _text(self, at: KeyPath, value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise self._wrong(at, value, "text")
        return value

    def _mapping(self, at: KeyPath, value: Any) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._wrong(at, value, "a mapping of keys to values")
        return value

    def _wrong(self, at: KeyPath, value: object, wanted: str) -> ProjectInvalid:
        return ProjectInvalid(
            f"{self._place(at)} is {shown(value)}; wanted {wanted}", field=".".join(at), value=value, wanted=wanted
        )

    def _place(self, at: KeyPath) -> str:
        return self._empty.place(at)


def _near(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]!r}?" if found else ""
