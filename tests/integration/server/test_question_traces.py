"""A question to a collection leaves a trace: what was retrieved, what answered, and none of the words."""

from __future__ import annotations

import httpx
import pytest

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.limits.pool import Pool
from opsloop.llm.port import ChatProvider
from opsloop.llm.providers import chat_provider
from opsloop.monitoring.telemetry import traces
from opsloop.monitoring.telemetry.keeping import Keeping
from opsloop.monitoring.telemetry.models import Trace
from opsloop.rag import service as documents
from opsloop.server.control_plane import control_plane
from opsloop.server.entrance import Entrance
from opsloop.testing.model_server import ModelServer
from tests.integration.server.test_entrance import NoDataPlane

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TEXT = "Employees have 25 days of paid leave a year."


async def asked(workspace: Workspace, admin: Caller, question: str, collection: str = "handbook") -> Trace:
    with workspace.writing(admin) as uow:
        documents.upload(uow, "handbook", "handbook.md", TEXT.encode())
    keeping = Keeping(workspace)
    entrance = Entrance(workspace, NoDataPlane(), control_plane(workspace), limits=Pool(workspace), traces=keeping)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(entrance), base_url="http://localhost") as http:
        await http.post(
            "/query",
            json={"question": question, "collection": collection, "top_k": 3},
            headers={"traceparent": f"00-{TRACE}-{CALLER}-01", "x-request-id": "req_asked"},
        )
    keeping.flush()
    with workspace.reading(admin) as uow:
        return traces.get(uow, TRACE)


@pytest.mark.anyio
async def test_a_question_is_a_trace_of_its_retrieval_and_its_answer(
    sqlite_workspace: Workspace, admin: Caller
) -> None:
    found = await asked(sqlite_workspace, admin, "How many days of paid leave do employees have?")
    request, retrieval, answer = found.spans
    assert (found.line.request_id, found.line.errors) == ("req_asked", 0)
    assert (request.name, request.parent_id) == ("POST /query", CALLER)
    assert [each.parent_id for each in (retrieval, answer)] == [request.span_id] * 2
    assert (retrieval.name, retrieval.kind) == ("retrieval handbook", "client")
    assert retrieval.attributes == {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": "handbook",
        "gen_ai.retrieval.top_k": 3,
        "db.system.name": "sqlite",
        "db.response.returned_rows": 1,
    }
    assert answer.name == "answer handbook"
    assert answer.attributes["opsloop.answer.citations"] == 1
    assert "paid leave" not in str(found)


@pytest.mark.anyio
async def test_a_retrieval_that_failed_says_how(sqlite_workspace: Workspace, admin: Caller) -> None:
    found = await asked(sqlite_workspace, admin, "How many?", collection="nowhere")
    retrieval = next(each for each in found.spans if each.name.startswith("retrieval"))
    assert (retrieval.status, retrieval.attributes["error.type"]) == ("error", "CollectionMissing")
    assert found.spans[0].attributes["http.response.status_code"] == 404


@pytest.mark.anyio
async def test_a_model_that_writes_the_answer_is_a_span(
    sqlite_workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def provider(_: object) -> ChatProvider:
        return chat_provider(sqlite_workspace.settings.model_copy(update={"llm_base_url": server.base_url}))

    with ModelServer() as server:
        monkeypatch.setattr("opsloop.rag.answering.asking.chat_provider", provider)
        found = await asked(sqlite_workspace, admin, "How many days of paid leave do employees have?")
    [model] = [each for each in found.spans if each.name.startswith("chat")]
    assert (model.kind, model.attributes["gen_ai.operation.name"]) == ("client", "chat")
    assert model.parent_id == found.spans[0].span_id
