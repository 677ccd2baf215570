"""A small API server and a gateway around it, for tests of the routes: no network, no cluster."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from dealguard_api import names
from dealguard_gateway.access.oidc import Oidc
from dealguard_gateway.access.reviews import Reviews
from dealguard_gateway.access.sessions import Sessions
from dealguard_gateway.app import create_app
from dealguard_gateway.http.limits import RateLimits
from dealguard_gateway.kubernetes.api import KubernetesApi
from dealguard_gateway.kubernetes.errors import ApiError
from dealguard_gateway.kubernetes.store import AnalysisStore
from dealguard_gateway.metrics import Metrics
from dealguard_gateway.services import Services
from dealguard_gateway.settings import GatewaySettings
from dealguard_gateway.storage.documents import DocumentStorage

CREATED = "2026-11-24T10:00:00Z"
# Token → who; what each may is (user, verb, namespace).
USERS = {"own-token": "own", "other-token": "other", "nobody-token": "nobody"}
RIGHTS = {
    *(("own", verb, "acme") for verb in ("get", "list", "watch", "create", "patch", "delete")),
    ("other", "get", "globex"),
    ("other", "list", "globex"),
}


def settings(**changes: Any) -> GatewaySettings:
    """An installation's choices."""
    given = {
        "s3_endpoint": "http://127.0.0.1:1",
        "s3_access_key": "key",
        "s3_secret_key": "secret",
        "s3_bucket": "contracts",
        **changes,
    }
    return GatewaySettings(**given)


def analysis(
    name: str = "lease", *, namespace: str = "acme", version: int = 1, file_name: str = "", **fields: Any
) -> dict[str, Any]:
    """A resource; `spec` and `status` over a minimal one."""
    annotations = {"dealguard.io/file-name": file_name} if file_name else {}
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {
            "namespace": namespace,
            "name": name,
            "uid": fields.get("uid", f"{namespace}-{name}-uid"),
            "resourceVersion": str(version),
            "generation": 1,
            "creationTimestamp": fields.get("created", CREATED),
            "annotations": annotations,
            "managedFields": [{"manager": "kubectl"}],
        },
        "spec": {"document": {"key": f"documents/{namespace}/{name}.pdf"}, **fields.get("spec", {})},
        **({"status": fields["status"]} if "status" in fields else {}),
    }


@dataclass
class FakeKubernetes:
    """Reviews and single objects, as the API server answers them; away on demand.

    Attributes:
        objects: path → object.
        asked: how often each kind of request came.
        is_away: whether nothing is answered.
        rights: (user, verb, namespace) that are allowed, or (user, verb, namespace, name).
        users: token → user.
    """

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    is_away: bool = False
    rights: set[tuple[str, ...]] = field(default_factory=lambda: set(RIGHTS))
    users: dict[str, str] = field(default_factory=lambda: dict(USERS))

    async def request(self, method: str, path: str, *, body: Any = None, **_: Any) -> dict[str, Any]:
        """See `KubernetesApi.request`."""
        kind = path.rpartition("/")[2] if method == "POST" else f"{method} {path}"
        self.asked[kind] += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise ApiError(0, "", "ClientConnectorError")
        if kind == "tokenreviews":
            user = self.users.get(body["spec"]["token"])
            return {"status": {"authenticated": True, "user": {"username": user, "groups": ["g"]}} if user else {}}
        if kind == "subjectaccessreviews":
            return {"status": {"allowed": self._is_allowed(body["spec"])}}
        if path not in self.objects:
            raise ApiError(404, "NotFound", "not found")
        return self.objects[path]

    def _is_allowed(self, spec: Mapping[str, Any]) -> bool:
        about = spec["resourceAttributes"]
        question = (spec["user"], about["verb"], about["namespace"])
        return question in self.rights or (*question, about["name"]) in self.rights


@dataclass(frozen=True)
class FakeGateway:
    """The application, and what is behind it."""

    app: FastAPI
    kubernetes: FakeKubernetes
    store: AnalysisStore

    @asynccontextmanager
    async def client(self, token: str | None = "own-token", **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client of its API."""
        given = {**headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=given) as client:
            yield client


def fake_gateway(
    *,
    rights: set[tuple[str, ...]] | None = None,
    is_synced: bool = True,
    api: KubernetesApi | None = None,
    documents: DocumentStorage | None = None,
    **changes: Any,
) -> FakeGateway:
    """A gateway that has read an empty cluster.

    Args:
        rights: of the users; by default `RIGHTS`.
        is_synced: whether it has; else it has read nothing yet.
        api: to be asked over HTTP instead; then the gateway's own `kubernetes` answers nothing.
        documents: the storage; None: nothing is stored.
        changes: to the settings.
    """
    chosen = settings(**changes)
    kubernetes = FakeKubernetes(rights=rights or set(RIGHTS))
    asked: Any = api or kubernetes
    store, metrics, sessions = AnalysisStore(chosen.namespaces), Metrics(), Sessions(chosen)
    oidc = Oidc(chosen) if chosen.oidc_issuer else None
    for scope in (chosen.namespaces or (None,)) if is_synced else ():
        store.confirm(scope)
    reviews = Reviews(
        asked,
        sessions,
        issuer=oidc if chosen.oidc_mode == "impersonate" else None,
        cache_seconds=chosen.review_cache_seconds,
        metrics=metrics,
    )
    services = Services(
        settings=chosen,
        kubernetes=asked,
        store=store,
        access=reviews,
        sessions=sessions,
        oidc=oidc,
        documents=documents,  # type: ignore[arg-type] - None where no route of the test stores anything
        limits=RateLimits(chosen),
        metrics=metrics,
    )
    return FakeGateway(create_app(services), kubernetes, store)


def body_of(answer: httpx.Response) -> Any:
    """Its JSON."""
    return json.loads(answer.content)
