"""Which package brings a module, and whether it is installed; nothing is imported to find that out."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

# Where the name of the package is not that of the module.
_PACKAGES = {
    "azure.ai.contentsafety": "azure-ai-contentsafety",
    "azure.ai.documentintelligence": "azure-ai-documentintelligence",
    "azure.ai.formrecognizer": "azure-ai-formrecognizer",
    "azure.ai.inference": "azure-ai-inference",
    "azure.ai.language.conversations": "azure-ai-language-conversations",
    "azure.ai.ml": "azure-ai-ml",
    "azure.ai.textanalytics": "azure-ai-textanalytics",
    "azure.cosmos": "azure-cosmos",
    "azure.identity": "azure-identity",
    "azure.keyvault.secrets": "azure-keyvault-secrets",
    "azure.search": "azure-search-documents",
    "azure.storage.blob": "azure-storage-blob",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "fitz": "PyMuPDF",
    "google.cloud.storage": "google-cloud-storage",
    "google.generativeai": "google-generativeai",
    "jwt": "PyJWT",
    "langchain": "langchain",
    "langchain_community": "langchain-community",
    "langchain_core": "langchain-core",
    "langchain_openai": "langchain-openai",
    "llama_index": "llama-index",
    "matplotlib": "matplotlib",
    "nltk": "nltk",
    "numpy": "numpy",
    "openai": "openai",
    "pandas": "pandas",
    "pydantic": "pydantic",
    "requests": "requests",
    "scipy": "scipy",
    "spacy": "spacy",
    "tenacity": "tenacity",
    "tiktoken": "tiktoken",
    "torch": "torch",
    "transformers": "transformers",
    "promptflow.evals": "promptflow-evals",
    "promptflow.rag": "promptflow-rag",
    "PIL": "pillow",
    "rouge_score": "rouge-score",
    "sentence_transformers": "sentence-transformers",
    "serpapi": "google-search-results",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
# Packages that share their first name with others, which says nothing then.
_SHARED = frozenset({"azure", "google", "promptflow"})
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def is_installed(module: str) -> bool:
    """Whether a dotted module can be found; of packages that share a first name, as deep as that tells."""
    parts = module.split(".")
    top = PathFinder.find_spec(parts[0])
    if top is None:
        return parts[0] in sys.builtin_module_names
    depth = len(parts) if parts[0] in _SHARED else 1
    path = top.submodule_search_locations
    for at in range(1, depth):
        if path is None:
            return True  # a module, whose parts only running it would tell
        spec = PathFinder.find_spec(".".join(parts[: at + 1]), path)
        if spec is None:
            return at > 1 and parts[0] != "promptflow" and bool(path) and not _is_namespace(path)
        path = spec.submodule_search_locations
    return True


def package_of(module: str, requirements: Iterable[str]) -> str | None:
    """The package to install for a module: as the flow's requirements name it, else the one that is known for it.

    None where neither says it: a package that is only called like the module may be anybody's.
    """
    known = next((_PACKAGES[name] for name in _prefixes(module) if name in _PACKAGES), None)
    listed = {plain(each): each for each in requirements}
    top = module.partition(".")[0]
    for name in (known, module.replace(".", "-"), None if top in _SHARED else top):
        if name is not None and plain(name) in listed:
            return listed[plain(name)]
    return known


def required(file: Path) -> list[str]:
    """The names of the packages in a requirements file, those of files it includes left out."""
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    named = [_REQUIREMENT.match(line) for line in lines if line.strip()[:1] not in ("", "#", "-")]
    return [found[1] for found in named if found is not None and "://" not in found[1]]


def has_distribution(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def plain(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _prefixes(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:at]) for at in range(len(parts), 0, -1)]


def _is_namespace(path: Iterable[str]) -> bool:
    return not any((Path(each) / "__init__.py").is_file() for each in path)
