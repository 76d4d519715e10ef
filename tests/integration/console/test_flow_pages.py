"""The pages of flows: the graph, the form, the runs; for a browser with and without scripts."""

from __future__ import annotations

import gzip
import re
from html import unescape

import httpx
import pytest

from opsloop.console.pages.flow_runs import bars
from opsloop.core.caller import Caller, Role
from opsloop.flows import run_records, versions
from opsloop.flows.graph import graph_of
from tests.integration.console import flows
from tests.integration.console.conftest import ADMIN, HOSTILE, Platform, browser
from tests.integration.console.test_pages import PAGE_LIMIT, stray_tags

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
ECHO = """
    inputs: {{x: {{type: string, description: "{about}"}}, y: {{type: object, default: {{}}}}}}
    outputs: {{z: {{type: string, reference: "${{{{{node}.output}}}}"}}}}
    nodes: [{{name: "{node}", type: python, source: {{type: code, path: echo.py}}, inputs: {{x: "${{{{inputs.x}}}}"}}}}]
"""


@pytest.fixture
def desk(platform: Platform, page: httpx.Client) -> httpx.Client:
    """A browser on a platform with the help-desk flow."""
    flows.whole(platform.workspace, platform.folder)
    return page


def post(page: httpx.Client, ref: str = "help-desk@2", accept: str = "text/html", **texts: str) -> httpx.Response:
    """Send the form as a browser does: a part for every control."""
    parts = {f"input.{name}": (None, text) for name, text in texts.items()}
    return page.post(f"/flows/{ref}/runs", files=parts, headers={"accept": accept})


def test_the_page_draws_the_graph_that_flow_show_draws(desk: httpx.Client, platform: Platform) -> None:
    html = desk.get("/flows/help-desk").text
    with platform.workspace.reading(ADMIN) as uow:
        flow = versions.read(platform.workspace, versions.get(uow, "help-desk"))
    graph = graph_of(flow)
    assert html.count('class="arrow') == len(graph.edges)
    nodes = re.findall(r'<a href="#(n\d+)" class="node" aria-label="([^,"]+)', html)
    assert nodes == [(each.id, each.name) for each in graph.vertices if each.place.value == "node"]
    assert html.count('class="arrow conditional"') == 1
    assert ">is chat</text>" in html
    assert all(f'<div id="{id}"' in html for id, _ in nodes)
    shown = re.search(r'<pre tabindex="0">(flowchart TD.*?)</pre>', html, re.DOTALL)
    assert shown is not None
    assert unescape(shown[1]).count("\n    ") == len(graph.vertices) + len(graph.edges)


def test_the_form_has_the_right_control_for_each_type(desk: httpx.Client) -> None:
    html = desk.get("/flows/help-desk").text
    for control in (
        r'<textarea id="input-question"',
        r'<input type="text" inputmode="numeric" id="input-count" name="input.count" value="3"',
        r'<input type="checkbox" name="input.strict" id="input-strict" value="true" checked',
        r'<textarea id="input-tags"[^>]*data-json="list"',
        r'<input type="file" id="input-picture"',
        r'<input type="password" autocomplete="off" id="input-token"',
        r"<details [^>]*><summary>chat_history</summary>",
        r'<option value="plain" selected>plain \(default\)</option>',
    ):
        assert re.search(control, html), control
    assert "opsloop release create ENDPOINT --flow help-desk@2" in html


def test_a_form_without_scripts_runs_and_leads_to_the_run(desk: httpx.Client) -> None:
    answer = post(desk, question="How many days of leave?", count="4", strict="true")
    assert answer.status_code == 303
    html = desk.get(answer.headers["location"]).text
    assert "The leave is 30 days a year." in html
    assert html.index("Nodes in time") < html.index("Sent to opsloop-offline-extractive")
    assert "Answer in one sentence." in html
    assert "opsloop flow run flows/help-desk --input &#39;question=How many days of leave?&#39;" in html
    again = re.search(r'href="([^"]+)#run">Run again', html)
    assert again is not None
    assert "How many days of leave?</textarea>" in desk.get(again[1]).text


def test_a_run_that_failed_shows_where(desk: httpx.Client) -> None:
    html = desk.get(post(desk, question="fail").headers["location"]).text
    assert "node &#39;classify&#39; of flow &#39;help-desk&#39; failed: ValueError: no kind for this question" in html
    assert re.search(r'<a href="#n0" class="node bad" aria-label="classify, python, failed"', html)
    assert re.search(r'<details class="panel" id="panel-n0" open', html)


def test_faults_stand_beside_their_fields_and_nothing_typed_is_lost(desk: httpx.Client, platform: Platform) -> None:
    answer = post(desk, question="", count="many", tags="[1,", options='{"a": 1}', token="s3cret")
    assert answer.status_code == 422
    html = unescape(answer.text)
    for name, said in {
        "question": "nothing is given; wanted text",
        "count": "wanted a whole number",
        "tags": 'not JSON at line 1, column 4; wanted a list as JSON, such as ["one", "two"]',
    }.items():
        assert re.search(rf'id="input-{name}"[^>]*aria-invalid="true"', html), name
        about = re.search(rf'id="input-{name}-about">(.*?)</p>', html, re.DOTALL)
        assert about is not None
        assert said in about[1]
    assert 'value="many"' in html
    assert "[1,</textarea>" in html
    assert '{"a": 1}</textarea>' in html
    assert "s3cret" not in html
    with platform.workspace.reading(ADMIN) as uow:
        assert run_records.listed(uow, "help-desk") == []


def test_an_image_becomes_a_data_url_and_another_file_is_refused(desk: httpx.Client) -> None:
    text = {"input.question": (None, "hello")}
    answer = desk.post("/flows/help-desk/runs", files={**text, "input.picture": ("a.png", PNG, "image/png")})
    run = desk.get(f"/api{answer.headers['location']}", headers={"accept": "application/json"}).json()
    assert list(run["inputs"]["picture"]) == ["data:image/png;base64"]
    refused = desk.post("/flows/help-desk/runs", files={**text, "input.picture": ("a.exe", b"MZ", "text/x-exe")})
    assert refused.status_code == 422
    assert "the file is text/x-exe; wanted an image" in refused.text


def test_a_flow_that_cannot_be_loaded_says_so_on_its_page(platform: Platform, page: httpx.Client) -> None:
    dag = ECHO.format(node="echo", about="")
    flows.register(platform.workspace, platform.folder, "broken", dag, {"echo.py": "import nothing_of_that_name\n"})
    assert page.get("/flows/broken").status_code == 200
    answer = post(page, "broken", x="hello")
    assert answer.status_code == 422
    assert "nothing_of_that_name" in answer.text
    assert "hello</textarea>" in answer.text


def test_a_script_hears_the_run_while_it_goes_on(desk: httpx.Client) -> None:
    answer = post(desk, accept="text/event-stream, text/html", question="How many days of leave?")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.count("event: delta") == 1
    assert answer.text.count("event: run") == 1


def test_hostile_values_names_and_files_are_data(platform: Platform, page: httpx.Client) -> None:
    clean = HOSTILE.replace("\u202e\u0007", "").replace('"', "'").replace("{", "(").replace("}", ")").replace("$", "")
    dag = ECHO.format(node=clean.replace("'", "").replace(".", "").replace("[", ""), about=clean)
    files = {"echo.py": flows.ECHO, "<img src=x onerror=alert(1)>.py": f"# {HOSTILE}\n"}
    version = flows.register(platform.workspace, platform.folder, "hostile", dag, files)
    flows.register(platform.workspace, platform.folder, "hostile", dag, {**files, "new.txt": HOSTILE})
    answer = post(page, "hostile@1", x=HOSTILE, y='{"</pre><script>": "</textarea><script>alert(1)</script>"}')
    for address in (
        "/flows",
        f"/flows?q={clean[:50]}",
        f"/flows/{version.ref}",
        f"/flows/{version.ref}?file=%3Cimg%20src=x%20onerror=alert(1)%3E.py",
        answer.headers["location"],
        f"/flows/hostile?again={answer.headers['location'].rpartition('/')[2]}",
        "/flows/hostile/diff/1..2",
    ):
        shown = page.get(address)
        assert shown.status_code == 200, (address, shown.text[:500])
        assert stray_tags(shown.text) == [], address


def test_ten_megabytes_in_a_field_are_run_and_shown_cut(desk: httpx.Client) -> None:
    answer = post(desk, question="hello " * 1_700_000)
    assert answer.status_code == 303
    html = desk.get(answer.headers["location"])
    assert "the JSON has more" in html.text
    assert len(gzip.compress(html.content, 5)) <= PAGE_LIMIT


def test_thirty_nodes_with_long_values_stay_light_and_complete(platform: Platform, page: httpx.Client) -> None:
    flows.huge(platform.workspace, platform.folder)
    run = flows.run(platform.workspace, "huge")
    shown, ran = page.get("/flows/huge"), page.get(f"/flows/huge@1/runs/{run.id}")
    for answer in (shown, ran):
        assert answer.status_code == 200
        assert len(re.findall(r'<a href="#n\d+" class="node', answer.text)) == 30
        assert len(gzip.compress(answer.content, 5)) <= PAGE_LIMIT
    assert "step_7_with_a_name_that_g…</text>" in shown.text
    assert "<title>step_7_with_a_name_that_goes_on_and_on_for_ever (python)</title>" in shown.text
    assert "Only the beginning is shown." in page.get("/flows/huge?file=echo.py").text


def test_the_waterfall_begins_where_nodes_began(platform: Platform) -> None:
    flows.huge(platform.workspace, platform.folder, nodes=5)
    found = bars(flows.run(platform.workspace, "huge"), {f"step_{n}": f"n{n}" for n in range(5)})
    assert [each.id for each in found] == [f"n{n}" for n in range(5)]
    assert all(0 <= each.left_pct < 100 and each.width_pct > 0 for each in found)
    assert [each.left_pct for each in found] == sorted(each.left_pct for each in found)


def test_an_id_of_a_flow_version_or_a_run_leads_to_its_page(desk: httpx.Client, platform: Platform) -> None:
    run = flows.run(platform.workspace, "help-desk", question="?")
    with platform.workspace.reading(ADMIN) as uow:
        version = versions.get(uow, "help-desk@1")
    assert desk.get(f"/go/{run.id}").headers["location"] == f"/flows/help-desk%402/runs/{run.id}"
    assert desk.get(f"/go/{version.id}").headers["location"] == "/flows/help-desk%401"


def test_the_palette_knows_every_flow(desk: httpx.Client) -> None:
    places = desk.get("/api/places").json()["items"]
    assert {"title": "help-desk@2", "kind": "flow", "href": "/flows/help-desk"} in places


def test_a_viewer_is_offered_no_form(desk: httpx.Client, platform: Platform) -> None:
    with browser(platform.workspace, Caller("key:watcher", Role.VIEWER)) as viewer:
        shown = viewer.get("/flows/help-desk")
        refused = viewer.post("/flows/help-desk/runs", files={"input.question": (None, "?")})
    assert "data-run" not in shown.text
    assert "A key with the role developer may run flows here." in shown.text
    assert refused.status_code == 403


def test_a_chat_flow_leads_to_the_endpoint_that_serves_it(filled: Platform) -> None:
    with browser(filled.workspace) as client:
        assert 'href="/chat/support-chat"' in client.get("/flows/answer@1").text


def test_two_versions_side_by_side(desk: httpx.Client) -> None:
    html = unescape(desk.get("/flows/help-desk/diff/1..2").text)
    assert "2 files changed" in html
    assert '<li class="cut"><code>-{{ question }}</code>' in html
    assert "The two versions are the same" in desk.get("/flows/help-desk/diff/1..1").text


PROMPTY = """\
---
name: Basic
model: {api: chat, configuration: {type: openai, model: gpt-4o}}
inputs: {question: {type: string}}
sample: {question: What colour is the house?}
outputs: {answer: {type: string}}
---
system:
The house is red.

user:
{{question}}
"""
FLEX = "entry: flow:Chat\nsample: {inputs: {question: hi}, init: {greeting: Hello}}\n"
CHAT = """\
class Chat:
    def __init__(self, greeting: str):
        self.greeting = greeting

    def __call__(self, question: str, extra=None) -> dict:
        return {"answer": f"{self.greeting} {question}", "extra": extra}
"""


@pytest.mark.parametrize(
    ("files", "format", "filled", "said"),
    [
        ({"basic.prompty": PROMPTY}, "prompty", "What colour is the house?", "The house is red."),
        ({"flow.flex.yaml": FLEX, "flow.py": CHAT}, "flex flow", "hi", "Hello hi"),
    ],
)
def test_a_prompty_and_a_flex_flow_have_pages_too(
    platform: Platform, page: httpx.Client, files: dict[str, str], format: str, filled: str, said: str
) -> None:
    flows.register_files(platform.workspace, platform.folder, "single", files)
    html = page.get("/flows/single").text
    assert f"{format} · 1 node" in html
    assert f"{filled}</textarea>" in html
    assert len(re.findall(r'<a href="#n\d+" class="node', html)) == 1
    assert said in page.get(post(page, "single", question=filled).headers["location"]).text
