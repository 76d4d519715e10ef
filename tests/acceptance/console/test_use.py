"""The page for the people a flow was made for: ask and read with quotes, hand in data and get a report."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from opsloop.console.pdf import making
from opsloop.core.clock import SystemClock
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.rag import service as rag
from opsloop.releases import service as releases
from tests.acceptance.console.conftest import Served, Site, visit
from tests.integration.console import flows
from tests.integration.console.conftest import ADMIN, Platform

WAIT_MS = 15_000
LEAVE = "# Leave\n\nEvery employee has 30 days of leave a year.\n"
ASK = """\
inputs:
  question: {type: string, is_chat_input: true, description: What to look for.}
  tone: {type: string, default: kind, enum: [kind, short]}
outputs:
  answer: {type: string, reference: "${look.output.answer}", is_chat_output: true}
  citations: {type: list, reference: "${look.output.citations}"}
  abstained: {type: bool, reference: "${look.output.abstained}"}
nodes:
- name: look
  type: python
  source: {type: code, path: look.py}
  inputs: {question: "${inputs.question}"}
"""
LOOK = """\
from opsloop import answer, search
from promptflow.core import tool


@tool
def look(question: str) -> dict:
    return answer(question, search("handbook", question))
"""
REPORT = """\
inputs:
  figures: {type: string, description: The figures as CSV text.}
  target: {type: double, default: 90}
outputs:
  html: {type: string, reference: "${write.output}"}
nodes:
- name: write
  type: python
  source: {type: code, path: write.py}
  inputs: {figures: "${inputs.figures}", target: "${inputs.target}"}
"""
WRITE = """\
from promptflow.core import tool


@tool
def write(figures: str, target: float) -> str:
    rows = len(figures.strip().splitlines()) - 1
    body = f"<h1>{rows} rows</h1><p>{figures}</p><img src=x onerror=alert(1)><script>document.title = 'ran'</script>"
    return f"<!doctype html><title>Report</title><style>h1 {{ color: green }}</style>{body}"
"""


def serve(platform: Platform, endpoint: str, dag: str, files: dict[str, str]) -> None:
    flows.register(platform.workspace, platform.folder, endpoint, dag, files)
    with platform.workspace.writing(ADMIN) as uow:
        releases.create_endpoint(uow, endpoint)
        releases.create_release(uow, endpoint, flow=endpoint)


def prepare(platform: Platform) -> Platform:
    with platform.workspace.writing(ADMIN) as uow:
        rag.upload(uow, "handbook", "leave.md", LEAVE.encode())
        releases.create_endpoint(uow, "empty")
    serve(platform, "document-search", ASK, {"look.py": LOOK})
    serve(platform, "monthly-report", REPORT, {"write.py": WRITE})
    return platform


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Site]:
    workspace = open_workspace(CoreSettings(data_dir=tmp_path / "data"))
    assert isinstance(workspace.clock, SystemClock)
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's driver keeps an event loop in this thread
        platform = elsewhere.submit(prepare, Platform(workspace, workspace.clock, tmp_path / "flows")).result()  # type: ignore[arg-type]  # nobody moves this clock
    with Served(platform) as site:
        yield site
    workspace.close()


@pytest.mark.parametrize("has_scripts", [True, False])
def test_somebody_asks_and_reads_the_quote_in_its_document(chromium: Any, served: Site, has_scripts: bool) -> None:
    visitor = visit(chromium, served, java_script_enabled=has_scripts)
    page = visitor.open("/use/document-search")
    page.get_by_label("question").fill("How many days of leave are there?")
    page.get_by_label("tone").select_option("short")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("link", name="Quote 1").wait_for(timeout=WAIT_MS)
    assert page.get_by_label("tone").input_value() == "short"
    page.get_by_role("link", name="leave.md").first.click()
    page.locator("mark#cited", has_text="30 days of leave").wait_for(timeout=WAIT_MS)
    visitor.context.close()
    assert visitor.faults == []


def test_what_the_documents_do_not_say_is_not_guessed(chromium: Any, served: Site) -> None:
    visitor = visit(chromium, served)
    page = visitor.open("/use/document-search")
    page.get_by_label("question").fill("Who is the emperor of Larkhill?")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_text("The documents do not answer this question.").wait_for(timeout=WAIT_MS)
    assert page.locator(".quotes").count() == 0
    visitor.context.close()
    assert visitor.faults == []


def test_data_is_handed_in_and_comes_back_as_a_report_that_can_do_nothing(
    chromium: Any, served: Site, tmp_path: Path
) -> None:
    file = tmp_path / "figures.csv"
    file.write_text("month,tickets\n2025-01,<b>10</b>\n2025-02,20\n")
    visitor = visit(chromium, served)
    page = visitor.open("/use/monthly-report")
    page.get_by_label("or figures from a file").set_input_files(file)
    page.get_by_role("button", name="Get the result").click()
    link = page.get_by_role("link", name="Open the report")
    link.wait_for(timeout=WAIT_MS)
    assert page.get_by_label("figures", exact=True).input_value() == file.read_text()
    with visitor.context.expect_page() as opened:
        link.click()
    report = opened.value
    report.get_by_role("heading", name="2 rows").wait_for(timeout=WAIT_MS)
    assert report.title() == "Report"
    assert report.pdf().startswith(b"%PDF")
    visitor.context.close()
    assert visitor.faults == []


def test_a_report_is_sent_so_that_nothing_in_it_runs(served: Site) -> None:
    with httpx.Client(base_url=served.url, headers={"accept": "text/html"}) as client:
        shown = client.post("/use/monthly-report", data={"input.figures": "a\n1"}, timeout=60).text
        at = shown.partition('class="button accent" href="')[2].partition('"')[0]
        report = client.get(at)
        saved = client.get(f"{at}?download=true")
        elsewhere = client.get(at.replace("monthly-report", "document-search"))
    assert report.status_code == 200
    assert report.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert report.headers["x-content-type-options"] == "nosniff"
    assert saved.headers["content-disposition"].startswith("attachment")
    assert saved.content == report.content
    assert ("Download as PDF" in shown) == making.is_possible()
    assert elsewhere.status_code == 404
    assert "has no report" in elsewhere.text


def test_a_report_is_downloaded_as_a_pdf_that_says_the_same(served: Site) -> None:
    pytest.importorskip("typst", reason="no typesetter: install the extra reports")
    pdfium = pytest.importorskip("pypdfium2")
    with httpx.Client(base_url=served.url, headers={"accept": "text/html"}, timeout=120) as client:
        shown = client.post("/use/monthly-report", data={"input.figures": "a\n1\n2"}).text
        at = shown.partition("Download as HTML</a>")[2].partition('href="')[2].partition('"')[0]
        pdf = client.get(at)
        gone = client.get(at.replace("monthly-report", "document-search"))
    assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
    assert pdf.headers["content-disposition"].endswith('.pdf"')
    assert "2 rows" in pdfium.PdfDocument(pdf.content)[0].get_textpage().get_text_range()
    assert gone.status_code == 404


@pytest.mark.parametrize(
    ("address", "sent", "status", "said"),
    [
        ("/use/monthly-report", {"data": {"input.figures": ""}}, 422, "nothing is given"),
        ("/use/monthly-report", {"data": {"input.figures": "a", "input.target": "much"}}, 422, "much"),
        ("/use/monthly-report", {"files": {"file.figures": ("a.csv", b"\xff\xfe")}}, 422, "is not UTF-8"),
        ("/use/nobody", {"data": {"input.figures": "a"}}, 404, "no endpoint named"),
        ("/use/empty", {"data": {"input.figures": "a"}}, 404, "serves no flow"),
        ("/use/document-search", {"data": {"input.question": "a", "input.tone": "rude"}}, 422, "kind or short"),
    ],
)
def test_a_form_that_cannot_be_used_says_why(
    served: Site, address: str, sent: dict[str, Any], status: int, said: str
) -> None:
    with httpx.Client(base_url=served.url, headers={"accept": "text/html"}, timeout=120) as client:
        answer = client.post(address, **sent)
    assert answer.status_code == status, answer.text
    assert said in answer.text


def test_an_endpoint_that_serves_nothing_yet_says_what_to_do(served: Site) -> None:
    answer = httpx.get(f"{served.url}/use/empty", headers={"accept": "text/html"})
    assert answer.status_code == 200
    assert "Nothing answers here yet" in answer.text
