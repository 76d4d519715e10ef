"""What a run ran with: Python, libraries, the machine's kind; two runs that agree in it and in their input agree."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("numpy", "scipy", "scikit-learn", "onnx", "skl2onnx", "onnxruntime", "skops", "opsloop")


def surroundings() -> dict[str, str]:
    """Names to versions."""
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
