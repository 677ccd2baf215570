"""Who may do what, at every endpoint: decided by Kubernetes' rules for the caller, and the same for all who may not.

The gateway reaches the real API server through a proxy that records whose request each one is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from fastapi.routing import APIRoute

from dealguard_api import names
from dealguard_cluster import Cluster
from dealguard_gateway.app import create_routes
from tests.cluster.api_proxy import ApiProxy, Request
from tests.cluster.gateway_tools import (
    GATEWAY_RULES,
    Gateway,
    Tenants,
    User,
    free_port,
    gateway_kubeconfig,
    log_in_at_issuer,
    make_account,
    running_gateway,
    tenants,
)
from tests.cluster.tools import Kubectl, wait_for
from tests.documents import pdf_with_pages
from tests.standins.oidc import OidcIssuer

__all__ = ["gateway_kubeconfig", "tenants"]  # fixtures

CHART = Path(__file__).resolve().parent.parent.parent / "charts" / "dealguard"
MARKUP = "<img src=x onerror=alert(1)>.pdf"
ABOUT_REQUEST = {"date", "x-request-id"}
PAGE_HEADERS = {"X-Requested-With": "dealguard", "Sec-Fetch-Site": "same-origin"}
# Erasing looks at what else refers to the document, so it lists too.
OWN_VERBS = {
    (rule["apiGroups"][0], rule["resources"][0], verb)
    for rule in GATEWAY_RULES
    for verb in rule["verbs"]  # type: ignore[index]
}


@dataclass(frozen=True)
class Row:
    """What one endpoint is for, and which right it needs.

    Args:
        verb: the right that it needs; empty: none at all; "caller": only to be somebody.
        about: what the right is about.
    """

    verb: str
    about: str = "contract"


ENDPOINTS = {
    ("GET", "/contracts/{id}"): Row("get"),
    ("GET", "/contracts/{id}/report"): Row("get"),
    ("GET", "/contracts/{id}/document"): Row("get"),
    ("GET", "/contracts/{id}/events"): Row("get"),
    ("POST", "/contracts/{id}/cancel"): Row("patch"),
    ("POST", "/contracts/{id}/rerun"): Row("patch"),
    ("DELETE", "/contracts/{id}"): Row("delete"),
    ("GET", "/contracts"): Row("list", "organization"),
    ("POST", "/contracts"): Row("create", "organization"),
    ("GET", "/events"): Row("list", "organization"),
    ("GET", "/organizations"): Row("caller", "organizations"),
    ("GET", "/apis/dealguard.io/{path:path}"): Row("caller", "resource"),
    ("GET", "/session"): Row("", "session"),
    ("POST", "/session"): Row("", "session"),
    ("DELETE", "/session"): Row("", "session"),
    ("GET", "/session/oidc/start"): Row("", "session"),
    ("GET", "/session/oidc/callback"): Row("", "session"),
    ("GET", "/openapi.json"): Row("", "files"),
    ("GET", "/"): Row("", "files"),
    ("GET", "/page/{path:path}"): Row("", "files"),
    ("GET", "/pdfjs/{path:path}"): Row("", "files"),
}
CONTRACT_ENDPOINTS = [endpoint for endpoint, row in ENDPOINTS.items() if row.about == "contract"]
ORGANIZATION_ENDPOINTS = [endpoint for endpoint, row in ENDPOINTS.items() if row.about == "organization"]
WRITES = [endpoint for endpoint, row in ENDPOINTS.items() if row.verb in ("patch", "delete", "create")]


def _routes(routes: Iterable[Any]) -> Iterator[APIRoute]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _routes(included.routes)
        else:
            yield route


def test_every_endpoint_has_its_row() -> None:
    served = {(method, route.path) for route in _routes(create_routes().routes) for method in route.methods - {"HEAD"}}
    assert served == set(ENDPOINTS), "say in ENDPOINTS who may use it, and the tests below will try"


@dataclass(frozen=True)
class Scene:
    """A gateway whose requests to the API server are recorded, two organizations, and their users."""

    proxy: ApiProxy
    gateway: Gateway
    gateway_token: str
    tenants: Tenants
    viewer: User

    @property
    def users(self) -> dict[str, User | None]:
        """All who may ask."""
        given = self.tenants
        return {"own": given.own, "other": given.other, "none": given.nobody, "viewer": self.viewer, "nobody": None}

    def ask(self, user: User | None, endpoint: tuple[str, str], **more: Any) -> httpx.Response:
        """Ask once; `id` and `organization` fill the endpoint. Of a stream, only its beginning."""
        method, path = endpoint
        path = path.replace("{id}", more.pop("id", ""))
        if "organization" in more:
            more["params"] = {"organization": more.pop("organization")}
        if endpoint == ("POST", "/contracts"):
            more.setdefault("files", {"file": (MARKUP, pdf_with_pages(1), "application/pdf")})
        with self.gateway.client(user) as client, client.stream(method, path, **more) as answer:
            if "event-stream" not in answer.headers.get("content-type", ""):
                answer.read()
            return answer

    def mark(self) -> int:
        """How many requests the API server has got."""
        return len(self.proxy.requests)

    def recorded_since(self, mark: int) -> list[Request]:
        """What the API server was asked since then, but for the watch."""
        return [request for request in self.proxy.requests[mark:] if request.verb[2] != "watch"]


def seen(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """All that a client can tell answers apart by."""
    headers = {name: value for name, value in answer.headers.items() if name not in ABOUT_REQUEST}
    return answer.status_code, answer.content, headers


def word(answer: httpx.Response) -> str:
    """What programs match on."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).removeprefix("urn:dealguard:problem:")


def kubeconfig_for(proxy: ApiProxy, token: str, path: Path) -> Path:
    """A kubeconfig of that token's account, by way of the proxy."""
    document = yaml.safe_load(proxy.kubeconfig(path).read_text())
    document["users"][0]["user"]["token"] = token
    path.write_text(yaml.safe_dump(document))
    return path


def token_in(kubeconfig: Path) -> str:
    """The token of a kubeconfig's account."""
    return str(yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]["token"])


@pytest.fixture(scope="module")
def scene(
    cluster: Cluster,
    kubectl: Kubectl,
    tenants: Tenants,
    gateway_kubeconfig: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scene]:
    """The scene of all tests here. No answer on rights is kept, so that each request is seen to be decided."""
    folder = tmp_path_factory.mktemp("rights")
    token = token_in(gateway_kubeconfig)
    viewer = make_account(kubectl, tenants.namespace, "viewer", ["get", "list", "watch"])
    with ApiProxy(Path(cluster.kubeconfig), as_sent=True) as proxy:
        kubeconfig = kubeconfig_for(proxy, token, folder / "config")
        with running_gateway(cluster, kubeconfig, folder, review_cache_seconds="0") as gateway:
            yield Scene(proxy, gateway, token, tenants, viewer)


@pytest.fixture(scope="module")
def contract(scene: Scene) -> str:
    """A contract of the first organization."""
    return scene.tenants.create("theirs")


@pytest.mark.parametrize("endpoint", CONTRACT_ENDPOINTS, ids=" ".join)
@pytest.mark.parametrize("user", ["other", "none", "nobody"])
def test_somebody_elses_contract_answers_as_one_that_does_not_exist(
    scene: Scene, contract: str, user: str, endpoint: tuple[str, str]
) -> None:
    asker, namespace = scene.users[user], scene.tenants.namespace
    ids = {
        "existing": contract,
        "not existing": f"{namespace}.{'x' * len('theirs')}",
        "in no organization": f"test-{'0' * 8}.theirs",
        "no id": "theirs",
    }
    answers: dict[str, httpx.Response] = {}
    asked: dict[str, list[Request]] = {}
    for kind, id_ in ids.items():
        before = scene.mark()
        answers[kind] = scene.ask(asker, endpoint, id=id_)
        asked[kind] = scene.recorded_since(before)
    answer = answers["existing"]
    assert all(seen(other) == seen(answer) for other in answers.values())
    expected = (401, "not-logged-in") if user == "nobody" else (404, "contract-not-found")
    assert (answer.status_code, word(answer)) == expected
    # The same way to the answer too: the same questions to the API server, and none about the contract itself.
    questions = {kind: [(*request.verb,) for request in requests] for kind, requests in asked.items()}
    assert questions["existing"] == questions["not existing"] == questions["in no organization"]
    assert all(resource in ("tokenreviews", "subjectaccessreviews") for _, resource, _ in questions["existing"])


@pytest.mark.parametrize("endpoint", ORGANIZATION_ENDPOINTS, ids=" ".join)
@pytest.mark.parametrize("user", ["other", "none", "nobody"])
def test_somebody_elses_organization_answers_as_one_that_does_not_exist(
    scene: Scene, contract: str, user: str, endpoint: tuple[str, str]
) -> None:
    there, nowhere = scene.tenants.namespace, "test-" + "0" * 8
    answers = [scene.ask(scene.users[user], endpoint, organization=name) for name in (there, nowhere)]
    first, second = (seen(answer) for answer in answers)
    assert first[0] == second[0] == (401 if user == "nobody" else 403)
    assert first[1].replace(there.encode(), b"") == second[1].replace(nowhere.encode(), b"")
    assert first[2] == second[2]


def test_a_list_without_an_organization_has_ones_own_alone(scene: Scene, contract: str) -> None:
    scene.tenants.create("others", namespace=scene.tenants.other_namespace)

    def listed(user: str) -> set[str]:
        answer = scene.ask(scene.users[user], ("GET", "/contracts"))
        assert answer.status_code == 200
        return {item["organization"] for item in answer.json()["items"]}

    wait_for("the watch to tell of both", lambda: listed("own") and listed("other"))
    there, elsewhere = scene.tenants.namespace, scene.tenants.other_namespace
    assert [listed(user) for user in ("own", "viewer", "other", "none")] == [{there}, {there}, {elsewhere}, set()]
    organizations = {
        user: {
            item["name"]: item["mayUpload"] for item in scene.ask(scene.users[user], ("GET", "/organizations")).json()
        }
        for user in ("own", "viewer", "other", "none")
    }
    assert organizations == {"own": {there: True}, "viewer": {there: False}, "other": {elsewhere: True}, "none": {}}
    for endpoint in (("GET", "/contracts"), ("GET", "/organizations")):
        assert scene.ask(None, endpoint).status_code == 401


@pytest.mark.parametrize("endpoint", CONTRACT_ENDPOINTS, ids=" ".join)
def test_who_may_only_look_may_only_look(scene: Scene, contract: str, endpoint: tuple[str, str]) -> None:
    id_ = contract
    wait_for("the watch", lambda: scene.ask(scene.viewer, ("GET", "/contracts/{id}"), id=id_).status_code == 200)
    before = scene.mark()
    answer = scene.ask(scene.viewer, endpoint, id=id_)
    requests = scene.recorded_since(before)
    if ENDPOINTS[endpoint].verb == "get":
        assert answer.status_code == 200 or word(answer) not in ("contract-not-found", "forbidden")
    else:
        assert (answer.status_code, word(answer)) == (403, "forbidden")
        assert not [request for request in requests if request.method in ("PATCH", "DELETE")]
    missing = scene.ask(scene.viewer, endpoint, id=f"{scene.tenants.namespace}.missing")
    assert (missing.status_code, word(missing)) == (404, "contract-not-found")


def test_who_may_only_look_may_not_upload(scene: Scene) -> None:
    answer = scene.ask(scene.viewer, ("POST", "/contracts"), organization=scene.tenants.namespace)
    assert (answer.status_code, word(answer)) == (403, "forbidden")


@pytest.mark.parametrize(
    ("path", "user", "status", "why"),
    [
        ("v1alpha1/namespaces/{own}/contractanalyses", "own", 200, "one's own"),
        ("v1alpha1/namespaces/{own}/contractanalyses", "other", 403, "the API server's own word"),
        ("v1alpha1/namespaces/{own}/contractanalyses/theirs", "viewer", 200, "who may get"),
        ("v1alpha1/namespaces/{own}/contractanalyses/theirs", "none", 403, "who may not"),
        ("v1alpha1/namespaces/{own}/contractanalyses/missing", "none", 403, "the same for what is not there"),
        ("v1alpha1/contractanalyses", "own", 403, "all organizations"),
        ("v1alpha1/contractanalyses", "nobody", 401, "nobody"),
        ("../../api/v1/namespaces/{own}/secrets", "own", 404, "another API group"),
        ("%2e%2e/%2e%2e/api/v1/secrets", "own", 404, "another API group, encoded"),
    ],
)
def test_the_raw_resource_is_read_with_the_callers_rights(
    scene: Scene, contract: str, path: str, user: str, status: int, why: str
) -> None:
    path = f"/apis/dealguard.io/{path.format(own=scene.tenants.namespace)}"
    asker = scene.users[user]
    before = scene.mark()
    assert scene.ask(asker, ("GET", path)).status_code == status, why
    passed_on = [request for request in scene.recorded_since(before) if request.verb[0] != "authentication.k8s.io"]
    assert all(dict(request.credentials)["Authorization"] == f"Bearer {asker and asker.token}" for request in passed_on)


def test_nobody_smuggles_somebody_elses_name(scene: Scene, contract: str) -> None:
    with scene.gateway.client(scene.tenants.nobody, headers={"Impersonate-User": "system:admin"}) as client:
        namespace = scene.tenants.namespace
        answer = client.get(f"/apis/dealguard.io/v1alpha1/namespaces/{namespace}/contractanalyses")
        assert answer.status_code == 403
        assert client.get(f"/contracts/{contract}").status_code == 404
    assert not [request for request in scene.proxy.requests if "Impersonate-User" in dict(request.credentials)]


def test_what_is_written_is_written_by_the_caller_and_the_gateway_itself_does_not_need_more(scene: Scene) -> None:
    own, namespace = scene.tenants.own, scene.tenants.namespace
    before = len(scene.proxy.requests)
    uploaded = scene.ask(own, ("POST", "/contracts"), organization=namespace)
    assert uploaded.status_code == 202, uploaded.text
    assert uploaded.headers["content-type"] == "application/json"
    assert uploaded.headers["x-content-type-options"] == "nosniff"
    assert uploaded.json()["fileName"] == MARKUP, "shown as it is, never as a page"
    id_ = uploaded.json()["id"]
    assert scene.tenants.get(id_)["spec"]["submittedBy"] == own.username
    statuses = {}
    for endpoint in CONTRACT_ENDPOINTS:
        if endpoint == ("POST", "/contracts/{id}/rerun"):
            version = scene.tenants.write_status(id_, phase="Cancelled", observedGeneration=9)
            wait_for("the watch", lambda v=version: _is_known(scene, id_, v))
        statuses[endpoint] = scene.ask(own, endpoint, id=id_).status_code
    assert {endpoint[1] for endpoint in WRITES if endpoint in statuses and statuses[endpoint] >= 300} == set(), statuses
    for endpoint in [*ORGANIZATION_ENDPOINTS, ("GET", "/organizations"), ("GET", "/session"), ("GET", "/")]:
        if endpoint[0] == "GET":
            answer = scene.ask(
                own, endpoint, **({"organization": namespace} if endpoint in ORGANIZATION_ENDPOINTS else {})
            )
            assert answer.status_code == 200
    assert scene.ask(own, ("GET", "/contracts/{id}"), id=id_).status_code == 404, "erased"
    requests = scene.proxy.requests[before:]
    writes = [request for request in requests if request.method != "GET" and "reviews" not in request.path]
    assert {request.method for request in writes} == {"POST", "PATCH", "DELETE"}
    assert {dict(request.credentials)["Authorization"] for request in writes} == {f"Bearer {own.token}"}
    by_gateway = [r for r in scene.proxy.requests if f"Bearer {scene.gateway_token}" in dict(r.credentials).values()]
    used = {request.verb for request in by_gateway}
    assert used <= OWN_VERBS, "more than its role"
    assert used == OWN_VERBS, "a right that no request needs does not belong into its role"


def _is_known(scene: Scene, id_: str, version: str) -> bool:
    answer = scene.ask(scene.tenants.own, ("GET", "/contracts/{id}"), id=id_)
    return answer.status_code == 200 and version in answer.headers["etag"]


def test_the_chart_gives_just_these_rights() -> None:
    template = (CHART / "templates" / "gateway.yaml").read_text()
    role = template.split("kind: ClusterRole\n")[1].split("\n---")[0]
    rules = yaml.safe_load("\n".join(line for line in role.splitlines() if "{{" not in line))["rules"]
    impersonation = {"apiGroups": [""], "resources": ["users", "groups"], "verbs": ["impersonate"]}
    assert [rule for rule in rules if rule != impersonation] == GATEWAY_RULES
    assert template.count("impersonate]") == 1
    assert 'if eq $gateway.oidc.mode "impersonate"' in template


def test_the_gateways_account_cannot_write(scene: Scene, kubectl: Kubectl, contract: str) -> None:
    account = f"system:serviceaccount:{scene.tenants.namespace}:gateway"
    namespace = scene.tenants.namespace
    for verb in ("create", "update", "patch", "delete", "deletecollection"):
        for subject in (f"{names.PLURAL}.{names.GROUP}", f"{names.PLURAL}.{names.GROUP}/status"):
            done = kubectl.run("-n", namespace, "auth", "can-i", verb, subject, f"--as={account}")
            assert done.stdout.strip() == "no"
    for subject in ("secrets", "pods", "jobs.batch", "namespaces"):
        assert kubectl.run("-n", namespace, "auth", "can-i", "get", subject, f"--as={account}").stdout.strip() == "no"
    assert kubectl.run("auth", "can-i", "impersonate", "users", f"--as={account}").stdout.strip() == "no"


def test_a_browser_logs_in_with_a_token_and_acts_as_its_user(scene: Scene, contract: str) -> None:
    own = scene.tenants.own
    with scene.gateway.client(headers=PAGE_HEADERS) as browser:
        assert browser.get("/session").json()["user"] is None
        assert browser.get(f"/contracts/{contract}").status_code == 401
        refused = browser.post("/session", json={"token": f"{own.token}x"})
        assert (refused.status_code, word(refused)) == (401, "credentials-rejected")
        malformed = browser.post("/session", json={"tokens": own.token})
        assert malformed.status_code == 422
        assert own.token not in malformed.text
        answer = browser.post("/session", json={"token": own.token})
        assert answer.status_code == 204
        assert "HttpOnly; SameSite=Lax" in answer.headers["set-cookie"]
        assert own.token not in answer.headers["set-cookie"]
        session = browser.get("/session").json()
        assert session["user"] == own.username
        assert {"name": scene.tenants.namespace, "mayUpload": True} in session["organizations"]
        assert session["expiresAt"]
        assert browser.get(f"/contracts/{contract}").status_code == 200
        assert browser.post("/contracts/x.y/cancel").status_code == 404, "the page's own request"
        forged = browser.post("/contracts/x.y/cancel", headers={"Sec-Fetch-Site": "cross-site"})
        assert (forged.status_code, word(forged)) == (403, "cross-site-request")
        assert browser.delete("/session").status_code == 204
        assert browser.get("/session").json()["user"] is None
        assert not browser.cookies


def test_a_session_ends_with_its_account(scene: Scene, kubectl: Kubectl) -> None:
    leaver = make_account(kubectl, scene.tenants.namespace, "leaver", ["get", "list", "watch"])
    with scene.gateway.client(headers=PAGE_HEADERS) as browser:
        assert browser.post("/session", json={"token": leaver.token}).status_code == 204
        assert browser.get("/session").json()["user"] == leaver.username
        kubectl.check("-n", scene.tenants.namespace, "delete", "serviceaccount", "leaver")

        def ended() -> httpx.Response | None:
            answer = browser.get("/contracts")
            return answer if answer.status_code == 401 else None

        assert word(wait_for("the cluster to forget the account", ended, 30)) == "session-expired"
        assert browser.get("/session").json()["user"] is None


@pytest.fixture(scope="module")
def impersonating(
    cluster: Cluster, kubectl: Kubectl, scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, OidcIssuer]]:
    """A gateway that may act in the names of an issuer's users, who may edit in the first organization."""
    name, namespace = f"impersonate-{scene.tenants.namespace}", scene.tenants.namespace
    rules = [{"apiGroups": [""], "resources": ["users", "groups"], "verbs": ["impersonate"]}]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
    kubectl.apply({**role, "metadata": {"name": name}, "rules": rules})
    account = f"--serviceaccount={namespace}:gateway"
    kubectl.check("create", "clusterrolebinding", name, f"--clusterrole={name}", account)
    kubectl.check("-n", namespace, "create", "rolebinding", "legal", "--role=own", "--group=oidc:legal")
    port = free_port()
    page = f"http://127.0.0.1:{port}"
    user = {
        "sub": "42",
        "email": "anna@example.com",
        "email_verified": True,
        "groups": ["x", "legal", "system:masters"],
    }
    settings = {
        "port": str(port), "public_url": page, "oidc_client_id": "dealguard", "oidc_mode": "impersonate",
        "oidc_groups_prefix": "oidc:", "review_cache_seconds": "0",
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("impersonating")
    kubeconfig = kubeconfig_for(scene.proxy, scene.gateway_token, folder / "config")
    with (
        OidcIssuer(f"{page}/session/oidc/callback", user) as issuer,
        running_gateway(cluster, kubeconfig, folder, oidc_issuer=issuer.url, **settings) as gateway,
    ):
        yield gateway, issuer
    kubectl.check("delete", "clusterrolebinding,clusterrole", name)
    kubectl.check("-n", namespace, "delete", "rolebinding", "legal")


def test_users_of_an_issuer_that_the_cluster_does_not_trust(
    scene: Scene, contract: str, impersonating: tuple[Gateway, OidcIssuer]
) -> None:
    gateway, _ = impersonating
    namespace = scene.tenants.namespace
    with gateway.client(headers=PAGE_HEADERS) as browser:
        assert browser.get("/session").json()["login"] == ["token", "oidc"]
        answer = log_in_at_issuer(browser, "/session/oidc/start?next=/%23/contracts")
        assert (answer.status_code, answer.headers["location"]) == (303, "/#/contracts")
        session = browser.get("/session").json()
        assert session["user"] == "oidc:anna@example.com"
        assert browser.get(f"/contracts/{contract}").status_code == 200
        assert browser.get(f"/contracts/{scene.tenants.other_namespace}.others").status_code == 404
        before = len(scene.proxy.requests)
        uploaded = browser.post(
            "/contracts", params={"organization": namespace}, files={"file": ("a.pdf", pdf_with_pages(2))}
        )
        assert uploaded.status_code == 202, uploaded.text
        assert scene.tenants.get(uploaded.json()["id"])["spec"]["submittedBy"] == "oidc:anna@example.com"
        written = [r for r in scene.proxy.requests[before:] if r.method == "POST" and "reviews" not in r.path]
        assert [sorted(request.credentials) for request in written] == [[
            ("Authorization", f"Bearer {scene.gateway_token}"),
            ("Impersonate-Group", "oidc:legal"), ("Impersonate-Group", "oidc:system:masters"),
            ("Impersonate-Group", "oidc:x"), ("Impersonate-User", "oidc:anna@example.com"),
        ]]  # fmt: skip
        assert browser.delete(f"/contracts/{uploaded.json()['id']}").status_code == 200


def test_bearer_tokens_of_that_issuer(scene: Scene, contract: str, impersonating: tuple[Gateway, OidcIssuer]) -> None:
    gateway, issuer = impersonating
    issuer_user = User("oidc:anna@example.com", issuer.id_token())
    on_gateway = replace(scene, gateway=gateway)
    assert on_gateway.ask(issuer_user, ("GET", "/contracts/{id}"), id=contract).status_code == 200
    raw = f"/apis/dealguard.io/v1alpha1/namespaces/{scene.tenants.namespace}/contractanalyses"
    assert on_gateway.ask(issuer_user, ("GET", raw)).status_code == 200
    assert on_gateway.ask(scene.tenants.own, ("GET", "/contracts/{id}"), id=contract).status_code == 200, (
        "the cluster's too"
    )
    unverified = User("", issuer.id_token(email_verified=False))
    assert on_gateway.ask(unverified, ("GET", "/contracts")).status_code == 403
    stranger = User("", issuer.id_token(groups=[]))
    assert on_gateway.ask(stranger, ("GET", "/contracts/{id}"), id=contract).status_code == 404
    issuer.state.faults.add("other key")
    forged = on_gateway.ask(User("", issuer.id_token()), ("GET", "/contracts/{id}"), id=contract)
    assert forged.status_code == 401


def test_a_login_at_an_issuer_that_the_cluster_does_not_trust_says_so(
    cluster: Cluster,
    gateway_kubeconfig: Path,
    tmp_path: Path,
) -> None:
    port = free_port()
    page = f"http://127.0.0.1:{port}"
    with OidcIssuer(f"{page}/session/oidc/callback") as issuer:
        settings = {
            "oidc_issuer": issuer.url, "oidc_client_id": "dealguard", "public_url": page, "port": str(port),
            "trusted_proxies": "127.0.0.0/8",
        }  # fmt: skip
        with (
            running_gateway(cluster, gateway_kubeconfig, tmp_path, **settings) as gateway,
            gateway.client() as browser,
        ):
            answer = log_in_at_issuer(browser)
            assert answer.status_code == 401
            assert "the cluster does not accept identities of this issuer" in answer.text
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
            assert browser.get("/session").json()["user"] is None
            again = browser.get(f"/session/oidc/callback?code=x&state={MARKUP}")
            assert MARKUP not in again.text
            # Behind a proxy that is trusted, who guesses is who the proxy says.
            assert [_guess(browser, "192.0.2.1") for _ in range(12)].count(429) > 0
            assert _guess(browser, "192.0.2.2") == 401


def test_an_address_that_anybody_may_write_counts_for_nothing(scene: Scene) -> None:
    with scene.gateway.client() as client:
        assert [_guess(client, f"192.0.2.{number}") for number in range(12)].count(429) > 0


def _guess(client: httpx.Client, address: str) -> int:
    headers = {**PAGE_HEADERS, "X-Forwarded-For": address}
    return client.post("/session", json={"token": "guessed"}, headers=headers).status_code
