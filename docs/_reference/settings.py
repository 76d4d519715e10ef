"""The page of every setting, from the settings models of the slices."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from pydantic.fields import FieldInfo

import opsloop
from docs._reference.markdown import GENERATED, table
from opsloop.core.settings import CoreSettings, Section

SOURCE = Path(opsloop.__file__).parent
INTRO = """
The environment wins over the `settings:` section of `opsloop.yaml`, which wins over the default. In the file a setting
is written in lower case without the prefix. Settings are read once, at start.
"""


def sections() -> list[type[Section]]:
    """Every settings model in the package, the core's first."""
    for file in sorted(SOURCE.rglob("*.py")):
        if "(Section)" in file.read_text():
            import_module(".".join(("opsloop", *file.relative_to(SOURCE).with_suffix("").parts)))
    inside = [model for model in Section.__subclasses__() if model.__module__.startswith("opsloop.")]
    return sorted(inside, key=lambda model: (model is not CoreSettings, model.__module__, model.__name__))


def variable(model: type[Section], name: str) -> str:
    """The environment variable of a setting."""
    return f"{model.model_config.get('env_prefix', '')}{name}".upper()


def page() -> str:
    parts = [GENERATED, "# Settings", INTRO.strip(), *(_section(model) for model in sections())]
    return "\n\n".join(parts) + "\n"


def _section(model: type[Section]) -> str:
    rows = [
        (f"`{name}`", f"`{variable(model, name)}`", _default(field), field.description or "")
        for name, field in model.model_fields.items()
    ]
    heading = model.__module__.removeprefix("opsloop.").partition(".")[0]
    lead = f"## {heading}\n\n{(model.__doc__ or '').strip()}".rstrip()
    return f"{lead}\n\n{table(('setting', 'environment', 'default', 'meaning'), rows)}"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    return "unset" if value is None else f"`{value}`"
