"""The steps and estimators that a pipeline can name; all of them become ONNX.

Plain data: nothing of scikit-learn is loaded by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Over(StrEnum):
    """Which columns a step takes when the pipeline does not say."""

    NUMBERS = "numbers"
    TEXT = "text"
    ALL = "all"
    """Everything that the steps before it gave, as one table."""


@dataclass(frozen=True, slots=True)
class StepKind:
    """Args:
    dotted: the class of scikit-learn.
    options: our defaults, where they differ from scikit-learn's.
    takes_booleans: whether false and true are numbers to it.
    not_served: options with which the served form would say something else.
    """

    dotted: str
    over: Over = Over.NUMBERS
    options: Mapping[str, Any] = field(default_factory=dict)
    takes_booleans: bool = True
    not_served: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EstimatorKind:
    """The classes behind one name, by task; empty where there is none.

    `takes_missing`: whether it can be fitted on missing numbers.
    """

    classification: str = ""
    regression: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    takes_missing: bool = False


_PREPROCESSING = "sklearn.preprocessing."

STEPS: dict[str, StepKind] = {
    "impute": StepKind(
        "sklearn.impute.SimpleImputer",
        options={"strategy": "median", "keep_empty_features": True},
        not_served=("add_indicator", "missing_values"),
    ),
    "scale": StepKind(f"{_PREPROCESSING}StandardScaler"),
    "min_max_scale": StepKind(f"{_PREPROCESSING}MinMaxScaler"),
    "robust_scale": StepKind(f"{_PREPROCESSING}RobustScaler"),
    "max_abs_scale": StepKind(f"{_PREPROCESSING}MaxAbsScaler"),
    "power_transform": StepKind(f"{_PREPROCESSING}PowerTransformer", takes_booleans=False),
    "polynomial": StepKind(f"{_PREPROCESSING}PolynomialFeatures", options={"include_bias": False}),
    "bins": StepKind(f"{_PREPROCESSING}KBinsDiscretizer", options={"encode": "ordinal"}, takes_booleans=False),
    "binarize": StepKind(f"{_PREPROCESSING}Binarizer"),
    "one_hot": StepKind(
        f"{_PREPROCESSING}OneHotEncoder",
        Over.TEXT,
        {"handle_unknown": "ignore", "sparse_output": False},
        not_served=("max_categories", "min_frequency", "sparse_output"),
    ),
    "ordinal": StepKind(
        f"{_PREPROCESSING}OrdinalEncoder", Over.TEXT, {"handle_unknown": "use_encoded_value", "unknown_value": -1}
    ),
    "target_encode": StepKind(f"{_PREPROCESSING}TargetEncoder", Over.TEXT),
    # Lower case needs a locale that many machines lack.
    "tfidf": StepKind(
        "sklearn.feature_extraction.text.TfidfVectorizer",
        Over.TEXT,
        {"lowercase": False},
        not_served=("lowercase", "ngram_range", "strip_accents", "analyzer", "preprocessor", "tokenizer"),
    ),
    "pca": StepKind("sklearn.decomposition.PCA", Over.ALL, {"svd_solver": "full"}),
    "select_best": StepKind("sklearn.feature_selection.SelectKBest", Over.ALL),
    "drop_constant": StepKind("sklearn.feature_selection.VarianceThreshold", Over.ALL),
}

_LINEAR = "sklearn.linear_model."
_ENSEMBLE = "sklearn.ensemble."

ESTIMATORS: dict[str, EstimatorKind] = {
    "logistic_regression": EstimatorKind(f"{_LINEAR}LogisticRegression", options={"max_iter": 1000}),
    "linear_regression": EstimatorKind(regression=f"{_LINEAR}LinearRegression"),
    "ridge": EstimatorKind(regression=f"{_LINEAR}Ridge"),
    "lasso": EstimatorKind(regression=f"{_LINEAR}Lasso"),
    "elastic_net": EstimatorKind(regression=f"{_LINEAR}ElasticNet"),
    "bayesian_ridge": EstimatorKind(regression=f"{_LINEAR}BayesianRidge"),
    "huber": EstimatorKind(regression=f"{_LINEAR}HuberRegressor", options={"max_iter": 1000}),
    "quantile": EstimatorKind(regression=f"{_LINEAR}QuantileRegressor"),
    "poisson": EstimatorKind(regression=f"{_LINEAR}PoissonRegressor", options={"max_iter": 1000}),
    "gamma": EstimatorKind(regression=f"{_LINEAR}GammaRegressor", options={"max_iter": 1000}),
    "random_forest": EstimatorKind(f"{_ENSEMBLE}RandomForestClassifier", f"{_ENSEMBLE}RandomForestRegressor"),
    "extra_trees": EstimatorKind(f"{_ENSEMBLE}ExtraTreesClassifier", f"{_ENSEMBLE}ExtraTreesRegressor"),
    "gradient_boosting": EstimatorKind(
        f"{_ENSEMBLE}HistGradientBoostingClassifier",
        f"{_ENSEMBLE}HistGradientBoostingRegressor",
        takes_missing=True,
    ),
    "decision_tree": EstimatorKind("sklearn.tree.DecisionTreeClassifier", "sklearn.tree.DecisionTreeRegressor"),
    "svm": EstimatorKind("sklearn.svm.SVC", "sklearn.svm.SVR"),
    "knn": EstimatorKind("sklearn.neighbors.KNeighborsClassifier", "sklearn.neighbors.KNeighborsRegressor"),
    "naive_bayes": EstimatorKind("sklearn.naive_bayes.GaussianNB"),
    "neural_network": EstimatorKind(
        "sklearn.neural_network.MLPClassifier",
        "sklearn.neural_network.MLPRegressor",
        options={"max_iter": 1000},
    ),
}


def estimator_names(task: str | None = None) -> tuple[str, ...]:
    """Those of a task, or all."""
    return tuple(name for name, kind in ESTIMATORS.items() if task is None or getattr(kind, task))
