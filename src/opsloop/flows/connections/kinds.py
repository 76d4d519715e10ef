"""The kinds of connection Prompt flow knows: the fields of each, and which of them are secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ConnectionKind:
    """`name` stands in files (`type: azure_open_ai`); `label` and `class_name` are what users' Python sees.

    `fields` are those a file may set, with their defaults; `needed` those that must not be empty. A kind without
    fields takes any.
    """

    name: str
    label: str
    class_name: str
    fields: Mapping[str, str | None] = field(default_factory=dict)
    secrets: tuple[str, ...] = ("api_key",)
    needed: tuple[str, ...] = ("api_key",)

    @property
    def takes_any(self) -> bool:
        return not self.fields and not self.secrets


CUSTOM = ConnectionKind("custom", "Custom", "CustomConnection", secrets=(), needed=())

KINDS = (
    ConnectionKind(
        "azure_open_ai",
        "AzureOpenAI",
        "AzureOpenAIConnection",
        {"api_base": None, "api_type": "azure", "api_version": "2024-02-01", "auth_mode": "key", "resource_id": None},
        needed=("api_base",),
    ),
    ConnectionKind("open_ai", "OpenAI", "OpenAIConnection", {"base_url": None, "organization": None}),
    ConnectionKind("serverless", "Serverless", "ServerlessConnection", {"api_base": None}, needed=("api_base",)),
    ConnectionKind(
        "azure_ai_services",
        "AzureAIServices",
        "AzureAIServicesConnection",
        {"endpoint": None, "auth_mode": "key"},
        needed=("endpoint",),
    ),
    ConnectionKind(
        "cognitive_search",
        "CognitiveSearch",
        "CognitiveSearchConnection",
        {"api_base": None, "api_version": "2023-11-01", "api_type": None, "auth_mode": "key"},
        needed=("api_base",),
    ),
    ConnectionKind(
        "azure_content_safety",
        "AzureContentSafety",
        "AzureContentSafetyConnection",
        {"endpoint": None, "api_version": "2023-10-01", "api_type": "Content Safety"},
        needed=("endpoint",),
    ),
    ConnectionKind(
        "form_recognizer",
        "FormRecognizer",
        "FormRecognizerConnection",
        {"endpoint": None, "api_version": "2023-07-31", "api_type": "Form Recognizer"},
        needed=("endpoint",),
    ),
    ConnectionKind("serp", "Serp", "SerpConnection"),
    ConnectionKind("qdrant", "Qdrant", "QdrantConnection", {"api_base": None}),
    ConnectionKind("weaviate", "Weaviate", "WeaviateConnection", {"api_base": None}),
    CUSTOM,
)


def kind_of(type: str) -> ConnectionKind | None:
    """The kind that a `type` means, in any of the spellings in use: `azure_open_ai`, `AzureOpenAI`, `open_ai`."""
    return _BY_TYPE.get(_bare(type).removesuffix("connection"))


def _bare(type: str) -> str:
    return type.replace("_", "").replace("-", "").lower()


_BY_TYPE = {_bare(kind.name): kind for kind in KINDS} | {_bare(kind.label): kind for kind in KINDS}
