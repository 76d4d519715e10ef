"""Every page, with nothing, something, much and malice in it."""

from __future__ import annotations

import gzip
import json
import re
from html.parser import HTMLParser
from urllib.parse import quote

import httpx
import pytest

from opsloop.console import static_files
from opsloop.console.page import SECTIONS
from opsloop.core.caller import Caller, Role
from opsloop.datasets import service as datasets
from opsloop.evaluation import service as evaluations
from opsloop.flows import versions
from opsloop.rag import service as rag
from tests.integration.console.conftest import ADMIN, EXPERIMENT, HOSTILE, Platform, browser, fill

PAGE_LIMIT = 60_000
SCRIPTS_LIMIT = 60_000


def addresses(platform: Platform) -> list[str]:
    """Every kind of page of a filled platform."""
    ids = platform.ids
    return [
        *(place.href for section in SECTIONS for place in section.places),
        "/?q=support&page=1",
        "/endpoints/support-chat",
        "/endpoints/support-chat?window=3600",
        *(f"/endpoints/support-chat/{action}" for action in ("promote", "pause", "resume", "rollback", "abort")),
        f"/rollouts/{ids['running']}",
        f"/rollouts/{ids['rolled_back']}",
        f"/rollouts/{ids['asking']}/approval",
        f"/rollouts/{ids['experiment']}",
        "/endpoints/support-chat/releases/1..2",
        f"/evaluations/{ids['run']}",
        f"/evaluations/{ids['failed_run']}?rows=all&page=2",
        f"/evaluations/{ids['failed_run']}?rows=failed",
        "/evaluations?flow=answer@1",
        "/evaluations/compare",
        f"/evaluations/compare?run={ids['run']}",
        f"/evaluations/compare?base={ids['run']}&head={ids['failed_run']}&by=question",
        f"/evaluations/compare?base={ids['run']}&head={ids['failed_run']}&rows=all&page=2",
        f"/evaluations/compare?base={ids['run']}&head={ids['failed_run']}&row=3",
        "/support?state=open",
        *(f"/support/cases/{ids[f'{state}_case']}" for state in ("open", "claimed", "held", "answered", "closed")),
        "/chat/support-chat",
        "/use/support-chat",
        "/flows?q=help",
        "/flows/answer",
        f"/flows/help-desk@2?file=classify.py&again={ids['flow_run']}",
        f"/flows/help-desk@2/runs/{ids['flow_run']}",
        f"/flows/help-desk@2/runs/{ids['failed_flow_run']}",
        "/flows/help-desk/diff/1..2",
        f"/traces/{ids['trace']}",
        "/traces?errors=true&q=invoke",
        "/datasets/golden",
        "/datasets/golden@1?page=2",
        "/datasets/tickets",
        "/datasets/tickets/diff/1..2",
        "/datasets/tickets/diff/1..2?key=text",
        f"/preparations/{ids['preparation_run']}?step=1",
        f"/preparations/{ids['failed_preparation_run']}",
        "/preparations",
        f"/training/{ids['training_run']}",
        f"/training/{ids['skipped_training']}",
        f"/training/{ids['failed_training']}",
        f"/training/{ids['waiting_training']}",
        "/models/flowers",
        "/models/flowers@1",
        "/models/compare?name=flowers",
        "/models/compare?base=flowers@1&head=flowers@2",
        "/models/compare?base=wide&head=flowers@champion",
        "/models/wide",
        "/models?q=flow",
        "/documents/handbook",
        "/documents/handbook?q=leave&sort=name&dir=asc",
        "/documents/handbook/delete",
        "/documents/handbook/answers?question=How+many+days+of+leave%3F",
        "/documents/handbook/answers?question=Who+is+the+emperor%3F",
        "/documents/handbook/passages?question=leave",
        f"/documents/handbook/{ids['document']}?start=9&end=30",
        f"/documents/handbook/{ids['document']}/delete",
        "/slo",
        "/slo?only=missed",
        "/dashboards",
        "/dashboards?window=3600",
        "/alerts",
        "/alerts?state=firing&endpoint=support-chat",
        "/incidents?state=open",
        f"/assistant?incident={ids['incident']}",
        f"/incidents/{ids['incident']}",
        f"/incidents/{ids['closed_incident']}",
        "/remediations?waiting=true",
        "/remediations?state=rehearsed&endpoint=repair-desk",
        f"/incidents/{ids['repair_incident']}?proposed=0",
        *(f"/remediations/{ids[name]}" for name in ("repair", "advice", "rehearsal")),
        "/feedback?said=bad",
        f"/feedback/answers/{ids['answer']}",
        f"/feedback/answers/{ids['hostile_answer']}",
        f"/feedback/weeks/{ids['week']}",
        ids["invitation"],
        "/audit?verify=true",
        "/audit?target=endpoint/&action=rollout.",
        "/sign-in?to=/audit",
    ]


class Suspicion(HTMLParser):
    """Collects what may run or load without being a file of the console's."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        is_own = tag != "script" or (named.get("src") or "").startswith("/static/")
        is_foreign = tag in ("iframe", "object", "embed", "style", "img", "base")
        acts = [name for name in named if name.startswith("on") or name == "style"]
        leads_out = (
            (named.get("href") or named.get("action") or "").strip().lower().startswith(("javascript:", "data:"))
        )
        if not is_own or is_foreign or acts or leads_out:
            self.found.append(self.get_starttag_text() or tag)


def stray_tags(html: str) -> list[str]:
    """Scripts, styles, handlers and frames that are not the console's own files."""
    suspicion = Suspicion()
    suspicion.feed(html)
    return suspicion.found


@pytest.mark.parametrize("address", [place.href for section in SECTIONS for place in section.places])
def test_an_empty_platform_says_what_to_do_next(page: httpx.Client, address: str) -> None:
    answer = page.get(address)
    assert answer.status_code == 200
    assert answer.text.count("<h1>") == 1
    assert "opsloop " in answer.text
    assert "data-copy=" in answer.text or address == "/audit"


def test_every_page_of_a_platform_in_use_is_shown(filled: Platform) -> None:
    with browser(filled.workspace) as client:
        for address in addresses(filled):
            answer = client.get(address)
            assert answer.status_code == 200, (address, answer.text[:2000])
            assert answer.text.count("<h1>") == 1, address
            assert stray_tags(answer.text) == [], address
            assert answer.headers["content-security-policy"].startswith("default-src 'self'"), address


def test_a_page_links_to_the_same_as_json_and_as_a_command(filled: Platform) -> None:
    with browser(filled.workspace) as client:
        for address in (
            "/",
            "/endpoints/support-chat",
            f"/rollouts/{filled.ids['running']}",
            "/audit",
            "/datasets",
            "/flows/help-desk",
        ):
            html = client.get(address).text
            link = re.search(r'<a class="plain" href="([^"]+)">JSON</a>', html)
            assert link is not None, address
            answer = client.get(link[1].replace("&amp;", "&"), headers={"accept": "application/json"})
            assert answer.status_code == 200, link[1]
            assert isinstance(answer.json(), dict)
            assert 'data-copy="opsloop ' in html, address


def test_hostile_names_and_texts_are_data(platform: Platform) -> None:
    platform.golden(3, text=HOSTILE)
    flow = platform.flow(HOSTILE)
    run = platform.evaluate(flow)
    with platform.workspace.writing(ADMIN) as uow:
        document = rag.upload(uow, "handbook", f"{HOSTILE[:40].replace('/', '')}.md", HOSTILE.encode()).document_id
        data = json.dumps({HOSTILE[:60]: HOSTILE, "n": 1}).encode()
        datasets.register(uow, "columns", "<img src=x onerror=alert(1)>.jsonl", data)
        uow.audit("release.<script>", f"endpoint/{HOSTILE}", reason=HOSTILE)
    with browser(platform.workspace) as client:
        for address in (
            f"/evaluations/{run}",
            "/datasets/columns",
            "/datasets/golden",
            "/documents",
            "/documents/handbook",
            f"/documents/handbook/{document}?start=2&end=30",
            "/audit",
            f"/audit?target={quote(HOSTILE)}&action=%22%3E%3Cscript%3E",
            f"/?q={quote(HOSTILE[:80])}",
            f"/evaluations?flow={quote(HOSTILE[:80])}",
            f"/datasets?q={quote(HOSTILE[:80])}",
            "/api/places",
        ):
            answer = client.get(address)
            assert answer.status_code == 200, (address, answer.text[:500])
            if not address.startswith("/api/"):
                assert stray_tags(answer.text) == [], address


def test_a_huge_platform_stays_light(platform: Platform) -> None:
    fill(platform, users=400)
    for number in range(120):
        platform.endpoint(f"endpoint-with-a-name-that-is-rather-long-{number:03d}")
    platform.golden(600, text="a question of several words that is repeated " * 8)
    big = platform.evaluate("answer@2")
    with platform.workspace.writing(ADMIN) as uow:
        for number in range(300):
            uow.audit(
                "thing.changed", f"endpoint/support-chat/{number}", reason="because " * 20, evidence={"n": number}
            )
        for number in range(120):
            text = f"# Note {number}\n\nEmployees may take {number} days.\n".encode()
            rag.upload(uow, "handbook", f"note-{number}.md", text)
    with browser(platform.workspace) as client:
        for address in [*addresses(platform), f"/evaluations/{big}", "/?page=3"]:
            answer = client.get(address)
            assert answer.status_code == 200, address
            assert len(gzip.compress(answer.content, 5)) <= PAGE_LIMIT, address


def test_page_style_and_scripts_together_are_light(filled: Platform) -> None:
    files = static_files.static_files().values()
    assert sum(len(each.content) for each in files if each.name.endswith(".js")) <= SCRIPTS_LIMIT
    shared = sum(len(each.packed) for each in files)
    with browser(filled.workspace) as client:
        for address in addresses(filled):
            assert shared + len(gzip.compress(client.get(address).content, 5)) <= PAGE_LIMIT, address


def test_an_evaluation_that_goes_on_shows_how_far_it_is(platform: Platform) -> None:
    platform.golden()
    flow = platform.flow("")
    with platform.workspace.writing(ADMIN) as uow:
        run = evaluations.start(uow, EXPERIMENT, versions.get(uow, flow))
    with browser(platform.workspace) as client:
        html = client.get(f"/evaluations/{run.id}").text
    assert "waits for its turn" in html
    assert f'data-topics="run:{run.id}"' in html


def test_worst_rows_come_first(platform: Platform) -> None:
    platform.golden(30)
    run = platform.evaluate(platform.flow(" and much more that nobody asked for at all"))
    with browser(platform.workspace) as client:
        html = client.get(f"/evaluations/{run}").text
    assert html.index("Gate failed") < html.index("Rules of the gate") < html.index("Rows")


def test_the_broken_event_is_named(filled: Platform) -> None:
    from sqlalchemy import text

    with filled.workspace.database.engine.begin() as connection:
        connection.execute(text("UPDATE audit_events SET actor = 'somebody:else' WHERE seq = 3"))
    with browser(filled.workspace) as client:
        html = client.get("/audit?verify=true").text
    assert "broken at event 3" in html.replace("\n", " ")


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/endpoints/nobody", 404, "no endpoint named"),
        ("/rollouts/nothing", 404, "no rollout named"),
        ("/evaluations/%3Cscript%3E", 404, "evaluation"),
        ("/jobs/none", 404, "no job named"),
        ("/no/such/page", 404, "Not Found"),
        ("/?page=0", 422, "page"),
        ("/endpoints/support-chat?window=soon", 422, "window"),
        ("/evaluations?flow=" + "x" * 5000, 422, "flow"),
        ("/chat/nobody", 404, "no endpoint named"),
        ("/go/doc_nothing", 404, "no page for the id"),
        ("/go/frun_nothing", 404, "no page for the id"),
        ("/flows/nobody", 404, "no flow version"),
        ("/flows/answer@none", 422, "NAME@NUMBER"),
        ("/flows/answer@1?file=../../secret", 422, "has no file"),
        ("/flows/answer@1?again=frun_nothing", 404, "no run"),
        ("/flows/answer@1/runs/frun_nothing", 404, "no run"),
        ("/flows/answer/diff/1..99", 404, "no flow version"),
        ("/flows/answer/diff/1-2", 422, "two numbers"),
        ("/models/nobody", 404, "no model"),
        ("/models/flowers@9", 404, "no version 9"),
        ("/models/compare?base=flowers@1&head=nobody", 404, "no model"),
        ("/go/model_nothing", 404, "no page for the id"),
    ],
)
def test_a_problem_is_a_page_for_people_and_a_document_for_programs(
    filled: Platform, address: str, status: int, said: str
) -> None:
    with browser(filled.workspace) as client:
        shown = client.get(address)
        told = client.get(address, headers={"accept": "application/json"})
    assert (shown.status_code, told.status_code) == (status, status)
    assert shown.headers["content-type"].startswith("text/html")
    assert said in shown.text
    assert stray_tags(shown.text) == []
    assert told.headers["content-type"] == "application/problem+json"


def test_a_viewer_sees_everything_and_is_offered_nothing(filled: Platform) -> None:
    with browser(filled.workspace, Caller("key:watcher", Role.VIEWER)) as client:
        shown = client.get("/endpoints/support-chat")
        refused = client.get("/endpoints/support-chat/promote")
    assert shown.status_code == 200
    assert "Promote" not in shown.text
    assert refused.status_code == 403
    assert "key:watcher has the role viewer" in refused.text


def test_a_static_file_has_a_name_of_its_content_and_is_kept(page: httpx.Client) -> None:
    address = static_files.url("console.css")
    answer = page.get(address)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert page.get(address, headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    assert page.get("/static/console.000000000000.css").status_code == 404
    assert page.get("/static/..%2Fapp.py").status_code == 404


def test_an_id_leads_to_its_page(filled: Platform) -> None:
    with filled.workspace.reading(ADMIN) as uow:
        document = rag.list_documents(uow, "handbook")[0].id
    with browser(filled.workspace) as client:
        assert client.get(f"/go/{filled.ids['run']}").headers["location"] == f"/evaluations/{filled.ids['run']}"
        found = client.get(f"/go/{document}?start=0&end=5")
        assert found.headers["location"] == f"/documents/handbook/{document}?start=0&end=5#cited"
        assert '<mark id="cited"># Lea</mark>' in client.get(found.headers["location"]).text
