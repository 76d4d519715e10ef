"""A project of one's own starts without the demo of its template."""

from __future__ import annotations

import shutil
from pathlib import Path

from opsloop.cli.drill import wanted as drills
from opsloop.cli.init import leave_out_demo
from opsloop.client.project import load

ROOT = Path(__file__).parents[3]


def copied(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    shutil.copytree(ROOT / "examples" / "support-chatbot", folder, ignore=shutil.ignore_patterns(".opsloop"))
    return folder


def test_the_demo_and_its_flows_are_left_out(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    before = load(folder)
    leave_out_demo(folder)
    after = load(folder)
    assert before.demo
    assert not after.demo
    assert [each.name for each in (folder / "flows").iterdir()] == ["answer"]
    assert after.endpoints == before.endpoints
    assert after.model_endpoints == before.model_endpoints
    assert "demo" not in (folder / "opsloop.yaml").read_text()


def test_keys_after_the_demo_stay(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    with (folder / "opsloop.yaml").open("a") as file:
        file.write("# Settings of this machine.\nsettings:\n  port: 8701\n")
    leave_out_demo(folder)
    assert load(folder).settings == {"port": 8701}
    assert "# Settings of this machine." in (folder / "opsloop.yaml").read_text()


def test_its_drill_stays(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    leave_out_demo(folder)
    found = drills.read(load(folder))
    assert found is not None
    assert (found.endpoint.name, found.dataset) == ("handover", "conversations")
    assert found.rows.is_file()
