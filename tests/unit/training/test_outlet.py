"""Where the files of a training without a platform go."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.training.outlet import outlet_of


def test_a_folder_takes_files_and_knows_which_it_has(tmp_path: Path) -> None:
    outlet = outlet_of(str(tmp_path / "out"))
    assert not outlet.has("models/a.onnx")
    outlet.put("models/a.onnx", b"1")
    assert outlet.has("models/a.onnx")
    assert [file.name for file in (tmp_path / "out" / "models").iterdir()] == ["a.onnx"]


@pytest.mark.parametrize("place", ["ftp://host/x", "s3://", "http://example.com"])
def test_another_place_is_refused(place: str) -> None:
    with pytest.raises(InvalidInput, match=r"wanted a folder, or s3://BUCKET"):
        outlet_of(place)
