"""Routes that are read when they are first asked for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute

from opsloop.core.web.router import LateRoute, Router
from opsloop.server.control_plane import ROUTERS

ROUTES = [route for router in ROUTERS for route in router.routes]


def app_of(router: Router) -> FastAPI:
    app = FastAPI()
    app.router.routes.extend(router.routes)
    return app


def test_every_route_of_the_platform_can_be_read() -> None:
    for route in ROUTES:
        assert isinstance(route, LateRoute), route
        assert route.dependant.call is route.endpoint
        assert callable(route.app)


def test_a_route_is_read_at_its_first_request_alone() -> None:
    router = Router(prefix="/things")

    @router.get("/{name}")
    def thing(name: str, count: int = 1) -> dict[str, int]:
        return {name: count}

    @router.get("")
    def things() -> list[str]:
        return ["one"]

    one, other = router.routes
    with TestClient(app_of(router)) as http:
        assert http.get("/elsewhere").status_code == 404
        assert "dependant" not in one.__dict__
        assert http.get("/things/pump?count=3").json() == {"pump": 3}
        assert "dependant" in one.__dict__
        assert "dependant" not in other.__dict__
        assert http.get("/things/pump?count=many").status_code == 422
        assert http.post("/things/pump").status_code == 405


def test_dependencies_of_a_router_come_before_its_routes() -> None:
    asked: list[str] = []
    router = Router(dependencies=[Depends(lambda: asked.append("first"))])

    @router.get("/")
    def page() -> None:
        asked.append("then")

    with TestClient(app_of(router)) as http:
        assert http.get("/").status_code == 200
    assert asked == ["first", "then"]


def test_a_route_behind_a_path_of_its_server_is_found() -> None:
    router = Router()

    @router.get("/there")
    def there() -> str:
        return "yes"

    with TestClient(app_of(router), root_path="/behind") as http:
        assert http.get("/there").json() == "yes"
        assert http.get("/behind/there").json() == "yes"


def test_threads_that_ask_at_once_have_the_whole_route() -> None:
    for _ in range(20):
        router = Router()
        router.get("/{name}")(lambda name: name)
        start = threading.Barrier(4)

        def asked(route: BaseRoute = router.routes[0], start: threading.Barrier = start) -> bool:
            start.wait(60)
            return callable(route.app)  # type: ignore[attr-defined]  # a late one has it

        with ThreadPoolExecutor(4) as pool:
            assert all(each.result() for each in [pool.submit(asked) for _ in range(4)])


def test_what_a_route_has_not_is_not_there() -> None:
    router = Router()
    router.get("/")(lambda: None)
    assert not hasattr(router.routes[0], "colour")
