"""A stand-in for the Kubernetes API, as a process of its own: the verbs that repairs use, on workloads and nodes.

It is no real API server. It does what the documentation of the real one says of these verbs: bearer tokens, `Status`
answers, JSON patches, resource versions (409 when the one in a patch is not the present one), generations that count
changes of the spec alone, `dryRun=All`, and objects held against the published OpenAPI schemas (kubernetes-validate).
Its controller makes one step when asked (`POST /-/reconcile`): replica sets by revision, and statuses.

    python -m tests.kubernetes_api      prints the port, then serves until it is ended
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN, READER = "a-token", "a-reader"
PLURALS = {
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "replicasets": "ReplicaSet",
    "nodes": "Node",
}
PATH = re.compile(
    r"(?:/apis/apps/v1/namespaces/(?P<namespace>[^/]+)/(?P<workloads>deployments|statefulsets|daemonsets|replicasets)"
    r"|/api/v1/(?P<nodes>nodes))(?:/(?P<name>[^/]+))?"
)
SCHEMAS = "1.34.0"
Thing = dict[str, Any]


class Refused(Exception):
    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": code,
        }


class Store:
    def __init__(self) -> None:
        self.things: dict[tuple[str, str, str], Thing] = {}
        self.version = 100
        self.asked: list[dict[str, Any]] = []
        self.lock = threading.Lock()

    def put(self, thing: Thing) -> None:
        metadata = thing["metadata"]
        plural = next(name for name, kind in PLURALS.items() if kind == thing["kind"])
        key = (plural, metadata.get("namespace", ""), metadata["name"])
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        metadata.setdefault("uid", hashlib.sha256(repr(key).encode()).hexdigest()[:32])
        if plural != "nodes":
            metadata.setdefault("generation", 1)
        _check(thing)
        self.things[key] = thing

    def get(self, plural: str, namespace: str, name: str) -> Thing:
        found = self.things.get((plural, namespace, name))
        if found is None:
            raise Refused(404, "NotFound", f'{plural} "{name}" not found')
        return found

    def patch(self, plural: str, namespace: str, name: str, operations: Any, *, is_dry: bool) -> Thing:
        before = self.get(plural, namespace, name)
        after = copy.deepcopy(before)
        if not isinstance(operations, list):
            raise Refused(400, "BadRequest", "json: cannot unmarshal object into Go value of type jsonpatch.Patch")
        for each in operations:
            _apply(after, each)
        if after["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]:
            said = f'Operation cannot be fulfilled on {plural} "{name}": the object has been modified'
            raise Refused(409, "Conflict", said)
        for field in ("uid", "name"):
            if after["metadata"][field] != before["metadata"][field]:
                raise Refused(422, "Invalid", f"metadata.{field}: Invalid value: field is immutable")
        _check(after)
        if after == before:  # a patch that changes nothing writes nothing
            return after
        if after["spec"] != before["spec"] and plural != "nodes":
            after["metadata"]["generation"] = before["metadata"]["generation"] + 1
        if not is_dry:
            self.put(after)
        return after

    def reconcile(self, *, is_stuck: bool) -> None:
        """One step of the controllers: every workload becomes what it is meant to be, or is stuck on the way."""
        for (plural, namespace, _), thing in list(self.things.items()):
            if plural in ("nodes", "replicasets"):
                continue
            if plural == "deployments":
                self._replica_sets(namespace, thing)
            wanted, status = thing["spec"].get("replicas", 1), {"observedGeneration": thing["metadata"]["generation"]}
            if plural == "daemonsets":
                status |= {
                    "desiredNumberScheduled": 2,
                    "currentNumberScheduled": 2,
                    "numberMisscheduled": 0,
                    "numberReady": 2,
                    "updatedNumberScheduled": 2,
                    "numberAvailable": 2,
                }
            else:
                there = 0 if is_stuck else wanted
                status |= {
                    "replicas": wanted,
                    "updatedReplicas": wanted,
                    "readyReplicas": there,
                    "availableReplicas": there,
                }
            reason = "ProgressDeadlineExceeded" if is_stuck else "NewReplicaSetAvailable"
            if plural == "deployments":
                condition = {"type": "Progressing", "status": str(not is_stuck), "reason": reason}
                status["conditions"] = [condition]
            thing["status"] = status
            self.put(thing)

    def _replica_sets(self, namespace: str, deployment: Thing) -> None:
        template = deployment["spec"]["template"]
        digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
        metadata, name = deployment["metadata"], f"{deployment['metadata']['name']}-{digest}"
        owned = [
            each
            for (plural, place, _), each in self.things.items()
            if plural == "replicasets"
            and place == namespace
            and each["metadata"]["ownerReferences"][0]["uid"] == metadata["uid"]
        ]
        newest = max(
            (int(each["metadata"]["annotations"]["deployment.kubernetes.io/revision"]) for each in owned), default=0
        )
        found = next((each for each in owned if each["metadata"]["name"] == name), None)
        own = copy.deepcopy(template)
        own["metadata"]["labels"]["pod-template-hash"] = digest
        if found is None:
            found = {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "metadata": {
                    "name": name,
                    "namespace": namespace,
                    "labels": own["metadata"]["labels"],
                    "annotations": {"deployment.kubernetes.io/revision": str(newest + 1)},
                    "ownerReferences": [
                        {
                            "apiVersion": "apps/v1",
                            "kind": "Deployment",
                            "name": metadata["name"],
                            "uid": metadata["uid"],
                            "controller": True,
                        }
                    ],
                },
                "spec": {
                    "replicas": deployment["spec"].get("replicas", 1),
                    "selector": {"matchLabels": own["metadata"]["labels"]},
                    "template": own,
                },
            }
        elif int(found["metadata"]["annotations"]["deployment.kubernetes.io/revision"]) < newest:
            found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = str(newest + 1)
        metadata.setdefault("annotations", {})["deployment.kubernetes.io/revision"] = found["metadata"]["annotations"][
            "deployment.kubernetes.io/revision"
        ]
        self.put(found)


def _apply(thing: Thing, operation: Thing) -> None:
    """One operation of RFC 6902, of those that repairs send."""
    *way, last = [each.replace("~1", "/").replace("~0", "~") for each in operation["path"].split("/")[1:]]
    at: Any = thing
    try:
        for each in way:
            at = at[each]
        if operation["op"] in ("replace", "remove") and last not in at:
            raise KeyError(last)
        if operation["op"] == "remove":
            del at[last]
        elif operation["op"] in ("add", "replace"):
            at[last] = operation["value"]
        else:
            raise Refused(400, "BadRequest", f"Unexpected kind: {operation['op']}")
    except (KeyError, TypeError):
        raise Refused(422, "Invalid", f"the server rejected our request: {operation['path']}") from None


def _check(thing: Thing) -> None:
    """Against the OpenAPI schema of its kind."""
    import kubernetes_validate

    try:
        kubernetes_validate.validate(copy.deepcopy(thing), SCHEMAS, strict=True)
    except kubernetes_validate.ValidationError as error:
        raise Refused(422, "Invalid", str(error.message)) from None


STORE = Store()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answered(None)

    def do_PATCH(self) -> None:
        self._answered(json.loads(self._body()))

    def do_POST(self) -> None:
        """What a test does behind the API's back."""
        body = json.loads(self._body() or b"null")
        with STORE.lock:
            match self.path:
                case "/-/put":
                    STORE.put(body)
                case "/-/reconcile":
                    STORE.reconcile(is_stuck=bool(body and body.get("is_stuck")))
                case "/-/clear":
                    STORE.things.clear()
                    STORE.asked.clear()
        self._say(200, {"asked": STORE.asked})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", "0")))

    def _answered(self, body: Any) -> None:
        try:
            with STORE.lock:
                found = self._found(body)
            self._say(200, found)
        except Refused as refused:
            self._say(refused.code, refused.status)

    def _found(self, body: Any) -> Thing:
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in (TOKEN, READER):
            raise Refused(401, "Unauthorized", "Unauthorized")
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        named = PATH.fullmatch(unquote(parts.path))
        if named is None:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        plural, namespace, name = named["workloads"] or named["nodes"], named["namespace"] or "", named["name"]
        STORE.asked.append(
            {
                "verb": self.command,
                "path": parts.path,
                "query": query,
                "body": body,
                "type": self.headers.get("content-type"),
            }
        )
        if self.command == "GET":
            return STORE.get(plural, namespace, name) if name else self._listed(plural, namespace, query)
        if token == READER:
            raise Refused(403, "Forbidden", f'{plural} "{name}" is forbidden: User "reader" cannot patch resource')
        if self.headers.get("content-type") != "application/json-patch+json":
            raise Refused(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
        if query.get("dryRun", "All") != "All":
            raise Refused(422, "Invalid", 'dryRun: Unsupported value: supported values: "All"')
        return STORE.patch(plural, namespace, name, body, is_dry="dryRun" in query)

    def _listed(self, plural: str, namespace: str, query: dict[str, str]) -> Thing:
        wanted = dict(each.split("=", 1) for each in query.get("labelSelector", "").split(",") if each)
        items = [
            each
            for (found, place, _), each in STORE.things.items()
            if (found, place) == (plural, namespace) and wanted.items() <= each["metadata"].get("labels", {}).items()
        ]
        return {
            "apiVersion": "apps/v1",
            "kind": f"{PLURALS[plural]}List",
            "metadata": {"resourceVersion": str(STORE.version)},
            "items": items,
        }

    def _say(self, code: int, found: Any) -> None:
        said = json.dumps(found).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)


@contextmanager
def served() -> Iterator[str]:
    """The URL of a process that serves it."""
    process = subprocess.Popen([sys.executable, "-m", "tests.kubernetes_api"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
