"""The report: what it says, what it looks like, what its gate lets in."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from opsloop.testing.model_server import ModelServer
from tests.acceptance.templates.made import Made

FIGURES = """\
month,region,tickets_opened,tickets_solved,solved_in_time,survey_answers,satisfied,backlog
2025-02,North,200,190,180,40,36,25
2025-03,North,250,240,180,40,38,35
2025-03,South <b>,100,100,95,20,18,n/a
"""


class Reading(HTMLParser):
    """The parts of a page: its tags, and what it would load from elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]


@pytest.fixture
def project(made: Callable[[str], Made]) -> Made:
    return made("report-generation")


def test_a_report_is_written_from_registered_figures_and_from_figures_that_are_sent(project: Made) -> None:
    registered = project.flow("report", month="2025-07")
    sent = project.flow("report", month="2025-03", figures=FIGURES)

    assert registered["report"].startswith("# Support in July 2025\n")
    assert "In July 2025 customers opened 6,420 tickets" in registered["narrative"]
    assert registered["sections"] == "Summary; Needs attention; Regions; Twelve months"
    assert registered["left_out"] == []
    assert "In March 2025 customers opened 250 tickets in all regions together, 25.0 % more" in sent["narrative"]
    assert sent["notes"] == ["Row 3 (South <b>, 2025-03) has 'n/a' as backlog, which is no count."]


def test_the_page_needs_nothing_beside_it_and_shows_data_as_data(project: Made) -> None:
    page = project.flow("report", month="2025-03", figures=FIGURES)["html"]
    read = Reading(page)

    assert read.loads == []
    assert "script" not in read.tags
    assert "url(" not in page
    assert "b" not in read.tags
    assert read.tags.count("svg") == 3
    for drawing in page.split("<svg")[1:]:
        xml.fromstring("<svg" + drawing.partition("</svg>")[0] + "</svg>")


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("compute.py", "shifted(month, -1), shifted", "shifted(month, -2), shifted"),
        (
            "compute.py",
            'percent(total("satisfied"), total("survey_answers"))',
            'percent(total("satisfied"), total("tickets_solved"))',
        ),
        ("check.py", "if found and all(is_known(each, known) for each in found)", "if sentence"),
    ],
    ids=["compares with a wrong month", "takes the wrong whole", "lets figures through"],
)
def test_a_worse_flow_is_refused(project: Made, file: str, before: str, after: str) -> None:
    if file == "check.py":  # and a text that has such a figure
        project.change(
            "flows/report/facts.py",
            '"overall": overall(figures),',
            '"overall": ["All 77,777 tickets were opened and solved in time in all regions together."],',
        )
        project.change("flows/report/check.py", '*figures_in(facts["overall"]), ', "")
    project.change(f"flows/report/{file}", before, after)

    gate = project.refused()

    assert (gate.code, gate.answer["verdict"]) == (6, "fail")
    assert [each["number"] for each in project("release", "list", "monthly-report").answer["items"]] == [1]


def test_the_gate_passes_with_the_figures_it_saw(project: Made) -> None:
    run = project.evaluated()
    gate = project("gate", "check", run["id"])

    assert (gate.code, gate.answer["verdict"]) == (0, "pass")
    assert run["failed_rows"] == 0
    assert {name: run["metrics"][name]["value"] for name in ("figures", "figure_support", "sections")} == {
        "figures": 1.0,
        "figure_support": 1.0,
        "sections": 1.0,
    }


def test_what_cannot_be_reported_on_is_said(project: Made) -> None:
    flow = str(project.folder / "flows" / "report")
    later = project("flow", "run", flow, "--input", "month=2031-01")
    unknown = project("flow", "run", flow, "--input", "month=2025-07", "--input", "figures=suport-figures")

    assert (later.code, unknown.code) == (2, 2)
    assert "there are no figures for 2031-01; the figures go from 2024-01 to 2025-12" in later.err
    assert "did you mean 'support-figures'" in unknown.err


def test_what_a_model_makes_up_is_left_out_and_the_report_says_so(
    project: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "Customers opened 6,420 tickets in July 2025. That is a record since 1987. Sales rose by 77.7 %."
    script = [
        {"when": {"contains": "all regions together"}, "answer": said},
        {"when": {"contains": "needs attention"}, "answer": "Islands solved only 74.2 % in time."},
    ]
    with ModelServer(script=script) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        report = project.flow("report", month="2025-07")
        assert server.count("chat") == 2

    assert report["narrative"] == "Customers opened 6,420 tickets in July 2025. Islands solved only 74.2 % in time."
    assert report["left_out"] == ["That is a record since 1987.", "Sales rose by 77.7 %."]
    assert report["sections"].endswith("; Data quality")
    assert "2 sentences of the text had no figure, or one that is not in the data" in report["report"]
