"""JUnit XML as CI systems read it: what Windy Road's and Jenkins' schemas both allow."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

from opsloop.evaluation.reports.junit import render
from opsloop.evaluation.verdicts import Rule, Verdict
from tests.unit.evaluation.made import decision, gate, hostile_report, report, row, rows

# What both schemas have in common, in the order of the stricter one: attributes and children of each element.
ATTRIBUTES = {
    "testsuites": set(),
    "testsuite": {
        "name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package",
    },
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "system-out": set(),
    "system-err": set(),
}  # fmt: skip


def check(xml: str) -> ET.Element:
    root = ET.fromstring(xml.encode("utf-8"))
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) == ATTRIBUTES[element.tag], element.tag
    for suite in root:
        tags = [child.tag for child in suite]
        cases = tags.count("testcase")
        assert tags == ["properties", *["testcase"] * cases, "system-out", "system-err"]
        assert int(suite.attrib["tests"]) == cases > 0
        for kind, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.attrib[name]) == len(suite.findall(f"testcase/{kind}"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
        assert all(len(case) <= 1 and case.attrib["name"] for case in suite.findall("testcase"))
    return root


def test_a_rule_is_a_test_and_a_row_that_broke_or_failed_is_one_of_a_second_suite() -> None:
    judged = gate(
        decision(Rule("exact", at_least=0.9)),
        decision(Rule("latency", at_most=200), Verdict.PASS),
        waiting=(Rule("exact", margin=0.1),),
    )
    after = [row(0, 0.0, "no"), row(1, 1.0), replace(row(2, 0.0), error="timed out")]
    gates, found = check(render(report(after, rows([1, 1, 0]), gate=judged)))
    assert (gates.attrib["tests"], gates.attrib["failures"], gates.attrib["skipped"]) == ("3", "1", "1")
    failure = gates.find("testcase/failure")
    assert failure is not None
    assert failure.attrib["type"] == "fail"
    assert [(case.attrib["name"], case[0].tag) for case in found.findall("testcase")] == [
        ("row 0", "failure"),
        ("row 2", "error"),
    ]


def test_a_run_without_gate_or_fault_still_has_tests() -> None:
    gates, found = check(render(report(rows([1, 1]))))
    assert gates.attrib["skipped"] == "1"
    assert found[1].attrib["name"] == "2 rows, none failed and none broke"


def test_hostile_text_is_well_formed() -> None:
    check(render(hostile_report()))


def test_more_rows_than_a_reader_can_take_are_counted() -> None:
    _, found = check(render(report(rows([0] * 1_200), rows([1] * 1_200))))
    assert found.attrib["tests"] == "1000"
    assert "200 more rows" in (found.findtext("system-out") or "")
