"""What is declared of a dataset holds at registration, on both databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.caller import Caller
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.datasets import export, holdouts, policies, service, validation
from opsloop.datasets.contamination import check_versions
from opsloop.datasets.contamination_models import Passage
from opsloop.datasets.expectations.errors import ExpectationsNotMet
from opsloop.datasets.findings import OnBroken, OnPii
from opsloop.datasets.holdout import HoldoutChanged, HoldoutFrozen
from opsloop.datasets.models import DatasetVersion
from opsloop.datasets.personal_data import ROWS_LIMIT, PersonalDataFound, report_of

BETWEEN = {"expect": "between", "column": "score", "min": 0, "max": 1}


def lines(*rows: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def register(
    workspace: Workspace, by: Caller, *rows: dict[str, Any], replace_holdout: str | None = None
) -> DatasetVersion:
    """As the API does it: look first, then write."""
    snapshot = service.prepare(workspace, "rows.jsonl", lines(*rows))
    inspected = service.inspect(workspace, by, "golden", snapshot)
    with workspace.writing(by) as uow:
        return service.register_snapshot(
            uow, "golden", "rows.jsonl", snapshot, inspected=inspected, replace_holdout=replace_holdout
        )


def declare(workspace: Workspace, by: Caller, **wanted: Any) -> None:
    with workspace.writing(by) as uow:
        policies.change(uow, "golden", **wanted)


def test_rows_that_break_an_expectation_make_no_version(workspace: Workspace, admin: Caller) -> None:
    declare(workspace, admin, expectations=[BETWEEN])
    with pytest.raises(
        ExpectationsNotMet, match=r"between score \(min 0, max 1\) is broken by 1 of 2 rows \(row 2: 1.5\)"
    ):
        register(workspace, admin, {"score": 0.5}, {"score": 1.5})
    with workspace.reading(admin) as uow:
        assert service.listed(uow) == []
    assert list(workspace.artifacts.keys("datasets")) == []


def test_refused_rows_that_a_version_has_stay_where_they_are(sqlite_workspace: Workspace, admin: Caller) -> None:
    kept = register(sqlite_workspace, admin, {"score": 1.5})
    declare(sqlite_workspace, admin, expectations=[BETWEEN])
    with pytest.raises(ExpectationsNotMet):
        register(sqlite_workspace, admin, {"score": 1.5})
    with sqlite_workspace.reading(admin) as uow:
        assert list(service.rows(uow, kept)) == [{"score": 1.5}]


def test_where_they_warn_the_answer_is_kept_with_the_version(workspace: Workspace, admin: Caller) -> None:
    declare(workspace, admin, expectations=[BETWEEN], on_broken=OnBroken.WARN)
    register(workspace, admin, {"score": 1.5})
    with workspace.reading(admin) as uow:
        report = service.get(uow, "golden").expectations
    assert report is not None
    assert not report.met
    assert report.results[0].rows[0].row == 1


def test_what_is_declared_while_rows_are_looked_at_counts_too(sqlite_workspace: Workspace, admin: Caller) -> None:
    snapshot = service.prepare(sqlite_workspace, "rows.jsonl", lines({"score": 1.5}))
    inspected = service.inspect(sqlite_workspace, admin, "golden", snapshot)
    declare(sqlite_workspace, admin, expectations=[BETWEEN])
    with sqlite_workspace.writing(admin) as uow, pytest.raises(ExpectationsNotMet):
        service.register_snapshot(uow, "golden", "rows.jsonl", snapshot, inspected=inspected)


def test_a_version_is_checked_on_demand(sqlite_workspace: Workspace, admin: Caller) -> None:
    version = register(sqlite_workspace, admin, {"score": 1.5})
    with sqlite_workspace.reading(admin) as uow:
        with pytest.raises(InvalidInput, match="golden has no expectations"):
            validation.validate(uow, version)
        assert not validation.validate(uow, version, [BETWEEN]).met
        assert validation.validate(uow, version, [BETWEEN | {"max": 2}]).met


def test_personal_data_is_reported_by_column_without_a_value(workspace: Workspace, admin: Caller) -> None:
    version = register(
        workspace,
        admin,
        {"id": 1, "text": "write to ada@example.org or bob@example.org", "card": 4111111111111111},
        {"id": 2, "text": "nothing here", "card": None},
    )
    with workspace.reading(admin) as uow:
        report = service.get(uow, version.ref).pii
    assert report is not None
    assert (report.read, report.rows) == (2, 2)
    assert [(each.column, each.kind, each.rows, each.count, each.share) for each in report.found] == [
        ("text", "email", 1, 2, 0.5),
        ("card", "payment_card", 1, 1, 0.5),
    ]
    assert report.found[0].samples == ("xxx@xxxxxxx.xxx",)
    assert "ada" not in str(report)


def test_a_policy_may_refuse_personal_data_and_then_nothing_of_it_stays(workspace: Workspace, admin: Caller) -> None:
    declare(workspace, admin, pii=OnPii.REFUSE)
    with pytest.raises(PersonalDataFound, match="email in text") as error:
        register(workspace, admin, {"text": "ada@example.org"})
    assert "ada" not in error.value.sentence
    assert list(workspace.artifacts.keys("datasets")) == []
    assert list(Path(workspace.data_dir).rglob("*.parquet")) == []
    declare(workspace, admin, pii=OnPii.ALLOW)
    assert register(workspace, admin, {"text": "ada@example.org"}).pii is None


def test_of_many_rows_a_part_is_read_and_said(tmp_path: Path) -> None:
    from opsloop.datasets.engine import connected, literal
    from opsloop.datasets.models import Column, ColumnType

    path = str(tmp_path / "rows.parquet")
    rows = 2 * ROWS_LIMIT + 2
    with connected() as duck:
        duck.execute(f"COPY (SELECT 'ada' || i || '@example.org' AS mail FROM range({rows}) r(i)) TO {literal(path)}")
    report = report_of(path, (Column("mail", ColumnType.TEXT),), rows)
    assert report.read == -(-rows // 3)
    assert report.found[0].rows == report.read
    assert f"({report.read:,} of {rows:,} rows were read)" in str(report)


GOLDEN = [{"id": number, "topic": f"t{number // 4}", "question": f"question {number}"} for number in range(40)]


def freeze(
    workspace: Workspace, by: Caller, ref: str = "golden", share: float = 0.3, reason: str | None = None
) -> None:
    with workspace.writing(by) as uow:
        holdouts.freeze(uow, service.get(uow, ref), share, seed=0, by="topic", reason=reason)


def parts(workspace: Workspace, by: Caller, ref: str = "golden") -> dict[str, list[dict[str, Any]]]:
    with workspace.reading(by) as uow:
        return {part: list(service.rows(uow, service.get(uow, f"{ref}/{part}"))) for part in ("holdout", "dev")}


def test_parts_of_a_frozen_version_are_datasets_of_their_own(workspace: Workspace, admin: Caller) -> None:
    version = register(workspace, admin, *GOLDEN)
    freeze(workspace, admin)
    found = parts(workspace, admin)
    with workspace.reading(admin) as uow:
        whole = service.get(uow, "golden@1")
        held, dev = (service.get(uow, f"golden@1/{part}") for part in ("holdout", "dev"))
        assert list(service.rows(uow, held, offset=1, limit=2)) == found["holdout"][1:3]
    assert sorted([*found["holdout"], *found["dev"]], key=lambda row: row["id"]) == GOLDEN
    assert {row["topic"] for row in found["holdout"]} & {row["topic"] for row in found["dev"]} == set()
    assert (held.rows, dev.rows) == (len(found["holdout"]), len(found["dev"]))
    assert whole.parts == {"holdout": held.rows, "dev": dev.rows}
    assert (held.ref, held.id) == ("golden@1/holdout", version.id)
    assert len({whole.digest, held.digest, dev.digest}) == 3


def test_a_part_is_exported_without_the_other_rows(sqlite_workspace: Workspace, admin: Caller) -> None:
    register(sqlite_workspace, admin, *GOLDEN)
    freeze(sqlite_workspace, admin)
    with sqlite_workspace.reading(admin) as uow:
        held, holdout = service.get(uow, "golden/holdout"), holdouts.get(uow, "golden")
    file = export.file_of(sqlite_workspace, held, "jsonl", holdout=holdout)
    exported = [json.loads(line) for line in file.path.read_text().splitlines()]
    file.discard()
    assert exported == parts(sqlite_workspace, admin)["holdout"]
    with pytest.raises(InvalidInput, match="jsonl, for golden@1/holdout is a part"):
        export.file_of(sqlite_workspace, held, "csv", holdout=holdout)


def test_no_part_is_there_before_rows_are_held_out(sqlite_workspace: Workspace, admin: Caller) -> None:
    register(sqlite_workspace, admin, *GOLDEN)
    with sqlite_workspace.reading(admin) as uow, pytest.raises(InvalidInput, match="opsloop data freeze golden@1"):
        service.get(uow, "golden/holdout")
    freeze(sqlite_workspace, admin)
    with sqlite_workspace.reading(admin) as uow, pytest.raises(InvalidInput, match="golden@1/holdout or golden@1/dev"):
        service.get(uow, "golden/test")


def test_a_version_that_changes_a_held_out_row_is_refused(workspace: Workspace, admin: Caller) -> None:
    register(workspace, admin, *GOLDEN)
    freeze(workspace, admin)
    held = parts(workspace, admin)["holdout"][0]["id"]
    changed = [{**row, "question": "another"} if row["id"] == held else row for row in GOLDEN]
    with pytest.raises(HoldoutChanged, match=rf"golden: 1 of its \d+ held out rows .* \(rows {held + 1} of golden@1\)"):
        register(workspace, admin, *changed)
    with workspace.reading(admin) as uow:
        assert service.get(uow, "golden").version == 1


def test_rows_may_be_added_and_dev_rows_changed(workspace: Workspace, admin: Caller) -> None:
    register(workspace, admin, *GOLDEN)
    freeze(workspace, admin)
    before = parts(workspace, admin)
    dev = before["dev"][0]["id"]
    rows = [
        {**row, "question": "another", "note": "new"} if row["id"] == dev else {**row, "note": "old"} for row in GOLDEN
    ]
    register(workspace, admin, *rows, *({"id": 100 + n, "topic": f"n{n}", "question": "new"} for n in range(30)))
    after = parts(workspace, admin)
    assert {row["id"] for row in before["holdout"]} < {row["id"] for row in after["holdout"]}


def test_held_out_rows_are_replaced_for_a_reason_on_record(workspace: Workspace, admin: Caller) -> None:
    register(workspace, admin, *GOLDEN)
    freeze(workspace, admin)
    rows = [{**row, "question": f"another {row['id']}"} for row in GOLDEN]
    with workspace.writing(admin) as uow:
        service.register(uow, "golden", "rows.jsonl", lines(*rows), replace_holdout="the questions were reworded")
        record = next(each for each in uow.records if each.action == "dataset.holdout_replaced")
        held = holdouts.get(uow, "golden")
    assert record.detail["reason"] == "the questions were reworded"
    assert held is not None
    assert held.frozen == 2
    register(workspace, admin, *rows, {"id": 99, "topic": "x", "question": "new"})


def test_other_rows_are_held_out_only_for_a_reason(sqlite_workspace: Workspace, admin: Caller) -> None:
    register(sqlite_workspace, admin, *GOLDEN)
    freeze(sqlite_workspace, admin)
    freeze(sqlite_workspace, admin)
    with pytest.raises(HoldoutFrozen, match="30% with seed 0 by topic, frozen at version 1"):
        freeze(sqlite_workspace, admin, share=0.5)
    freeze(sqlite_workspace, admin, share=0.5, reason="too few rows")
    assert len(parts(sqlite_workspace, admin)["holdout"]) > 5


def test_golden_rows_are_found_in_the_other_part_and_in_prompts(sqlite_workspace: Workspace, admin: Caller) -> None:
    register(
        sqlite_workspace, admin, {"q": "what does the warranty of a rented car cover"}, {"q": "who may open a case"}
    )
    with sqlite_workspace.reading(admin) as uow:
        golden = service.get(uow, "golden")
        report = check_versions(uow, golden, [], [Passage("p.jinja2", "Q: Who may open a case?\n")])
        with pytest.raises(InvalidInput, match="datasets, or texts"):
            check_versions(uow, golden, [], [])
    assert [str(each) for each in report.found] == ["row 2, q: word for word in p.jinja2, line 1"]
