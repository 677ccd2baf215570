"""People of an issuer that the API server trusts, as companies have it: their identity token is their bearer token.

Issuer, API server, gateway and browser are four parties with real TLS between issuer and API server; RBAC knows people
and groups by the names that the API server gives them.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from dealguard_cluster import Cluster
from tests.browser import chromium
from tests.cluster.gateway_tools import (
    Gateway,
    Tenants,
    User,
    free_port,
    gateway_kubeconfig,
    log_in_at_issuer,
    poll,
    running_gateway,
    tenants,
)
from tests.cluster.tools import Kubectl, wait_for
from tests.cluster.trusted_issuers import TrustedIssuers
from tests.documents import pdf_with_pages
from tests.standins.certificates import server_certificate
from tests.standins.oidc import CLIENT_ID, OidcIssuer

__all__ = ["gateway_kubeconfig", "tenants"]  # fixtures

PAGE_HEADERS = {"X-Requested-With": "dealguard", "Sec-Fetch-Site": "same-origin"}
ANNA = {"sub": "1", "email": "anna@example.com", "email_verified": True, "groups": ["legal"]}
# In the same company, and in none of the groups that RBAC knows.
BEN = {"sub": "2", "email": "ben@example.com", "email_verified": True, "groups": ["sales"]}
CARLA = {"sub": "3", "email": "carla@example.com", "email_verified": True, "groups": []}


@dataclass(frozen=True)
class Company:
    """An issuer that the API server trusts, and a gateway that people log in to with it."""

    issuer: OidcIssuer
    authority: Path
    gateway: Gateway
    tenants: Tenants

    @contextmanager
    def browser_of(self, person: dict[str, Any]) -> Iterator[httpx.Client]:
        """A browser in which the person has logged in."""
        self.issuer.state.user = person
        with self.gateway.client(headers=PAGE_HEADERS) as browser:
            answer = log_in_at_issuer(browser, authority=self.authority)
            assert (answer.status_code, answer.headers.get("location")) == (303, "/"), answer.text
            yield browser

    def upload(self, browser: httpx.Client, pages: int) -> httpx.Response:
        """Upload a contract of that many pages into the first organization."""
        organization = {"organization": self.tenants.namespace}
        return browser.post("/contracts", params=organization, files={"file": ("a.pdf", pdf_with_pages(pages))})


@pytest.fixture(scope="module")
def company(
    cluster: Cluster,
    kubectl: Kubectl,
    tenants: Tenants,
    gateway_kubeconfig: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Company]:
    """The scene of all tests here: the group `legal` may edit in the first organization, Carla may look."""
    folder, address = tmp_path_factory.mktemp("company"), cluster.layout.host_address
    tls, authority = server_certificate(address, folder)
    port = free_port()
    page = f"http://127.0.0.1:{port}"
    trusted = TrustedIssuers(cluster.name)
    settings = {
        "port": str(port), "public_url": page, "token_login": "false", "organizations": tenants.namespace,
        "oidc_client_id": CLIENT_ID, "oidc_authority_file": str(authority),
    }  # fmt: skip
    with OidcIssuer(f"{page}/session/oidc/callback", ANNA, tls=tls, host=address) as issuer:
        trusted.add(issuer.url, authority, audience=CLIENT_ID, prefix="oidc:")
        namespace = tenants.namespace
        kubectl.check("-n", namespace, "create", "rolebinding", "legal", "--role=own", "--group=oidc:legal")
        look = ["--verb=get,list,watch", "--resource=contractanalyses.dealguard.io"]
        kubectl.check("-n", namespace, "create", "role", "look", *look)
        kubectl.check("-n", namespace, "create", "rolebinding", "carla", "--role=look", "--user=oidc:carla@example.com")
        with running_gateway(cluster, gateway_kubeconfig, folder, oidc_issuer=issuer.url, **settings) as gateway:
            wait_for("the API server to trust the issuer", lambda: is_known(kubectl, issuer), 90)
            yield Company(issuer, authority, gateway, tenants)
    trusted.clear()


def test_a_person_logs_in_uploads_polls_and_lists_under_their_name_in_the_cluster(company: Company) -> None:
    with company.browser_of(ANNA) as anna:
        session = anna.get("/session").json()
        assert (session["user"], session["login"]) == ("oidc:anna@example.com", ["oidc"])
        assert session["organizations"] == [{"name": company.tenants.namespace, "mayUpload": True}]
        uploaded = company.upload(anna, 1)
        assert uploaded.status_code == 202, uploaded.text
        id_ = uploaded.json()["id"]
        assert company.tenants.get(id_)["spec"]["submittedBy"] == "oidc:anna@example.com"
        assert poll(anna, id_, status="pending")["submittedBy"] == "oidc:anna@example.com"
        assert [item["id"] for item in anna.get("/contracts").json()["items"]] == [id_]
        with company.browser_of(BEN) as ben:
            assert ben.get("/session").json()["user"] == "oidc:ben@example.com"
            assert ben.get("/contracts").json()["items"] == []
            missing = ben.get(f"/contracts/{company.tenants.namespace}.missing")
            theirs = ben.get(f"/contracts/{id_}")
            assert (theirs.status_code, theirs.json()) == (404, missing.json())
            assert company.upload(ben, 2).status_code == 403
        with company.browser_of(CARLA) as carla:
            assert carla.get(f"/contracts/{id_}").status_code == 200
            assert carla.post(f"/contracts/{id_}/cancel").status_code == 403
            assert company.upload(carla, 2).status_code == 403
        assert anna.delete(f"/contracts/{id_}").status_code == 200
    assert company.issuer.state.refusals == []


def test_an_identity_token_is_a_bearer_token_too(company: Company) -> None:
    issuer, gateway = company.issuer, company.gateway
    issuer.state.user = ANNA
    path = f"/apis/dealguard.io/v1alpha1/namespaces/{company.tenants.namespace}/contractanalyses"
    with gateway.client(User("", issuer.id_token())) as anna:
        assert anna.get("/session").json()["user"] == "oidc:anna@example.com"
        assert anna.get(path).status_code == 200
        uploaded = company.upload(anna, 3)
        assert uploaded.status_code == 202, uploaded.text
        assert anna.delete(f"/contracts/{uploaded.json()['id']}").status_code == 200
    for fault in ("expired", "other audience", "other key"):
        issuer.state.faults = {fault}
        with gateway.client(User("", issuer.id_token())) as refused:
            assert refused.get("/contracts").status_code == 401, fault
    issuer.state.faults = set()


def test_a_session_ends_with_its_identity_unless_the_issuer_renews_it(company: Company) -> None:
    state = company.issuer.state
    state.token_seconds, state.gives_refresh_tokens = 10, False
    with company.browser_of(ANNA) as ending:
        state.gives_refresh_tokens = True
        with company.browser_of(ANNA) as renewed:
            state.token_seconds = 300
            assert ending.get("/contracts").status_code == 200
            before = renewed.cookies["dealguard"]
            assert renewed.get("/contracts").status_code == 200
            assert renewed.cookies["dealguard"] != before, "a minute before its end it is renewed, on the way"
            ended = wait_for("the session's end", lambda: answer_unless_well(ending), 30)
            assert (ended.status_code, ended.json()["type"]) == (401, "urn:dealguard:problem:session-expired")
            assert ending.get("/session").json()["user"] is None
            assert renewed.get("/session").json()["user"] == "oidc:anna@example.com"
            assert company.upload(renewed, 4).status_code == 202


def test_the_page_takes_a_person_to_the_issuer_and_back_and_goes_on_after_the_session_has_ended(
    company: Company,
) -> None:
    state = company.issuer.state
    state.user, state.asks, state.token_seconds = ANNA, True, 300
    with chromium() as browser:
        context = browser.new_context(locale="de-DE", ignore_https_errors=True)
        page = context.new_page()
        page.goto(company.gateway.url)
        page.get_by_role("link", name="Anmelden mit dem Firmenkonto").click()
        page.get_by_label("User").fill("anna@example.com")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_text("PDFs hier ablegen")).to_be_visible(timeout=30_000)
        # As when the session has ended: what is on the screen stays, and the login has a tab of its own.
        context.clear_cookies()
        page.locator("input[type=file]").set_input_files(
            {"name": "Vertrag.pdf", "mimeType": "application/pdf", "buffer": pdf_with_pages(5)}
        )
        expect(page.get_by_role("dialog", name="Ihre Sitzung ist abgelaufen")).to_be_visible(timeout=30_000)
        with context.expect_page() as opened:
            page.get_by_role("dialog").get_by_role("link", name="Anmelden mit dem Firmenkonto").click()
        tab = opened.value
        tab.get_by_label("User").fill("anna@example.com")
        tab.get_by_role("button", name="Log in").click()
        expect(tab.get_by_text("PDFs hier ablegen")).to_be_visible(timeout=30_000)
        tab.close()
        # Without a screen no tab is told that the person returns to it.
        page.evaluate("window.dispatchEvent(new Event('focus'))")
        expect(page.get_by_role("heading", name="Wird verarbeitet")).to_be_visible(timeout=30_000)


def is_known(kubectl: Kubectl, issuer: OidcIssuer) -> bool:
    """Whether the API server knows whose a token of the issuer is."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": issuer.id_token()}}
    answer = kubectl.check("create", "-f", "-", "-o", "jsonpath={.status.user.username}", stdin=json.dumps(review))
    return answer == "oidc:anna@example.com"


def answer_unless_well(client: httpx.Client) -> httpx.Response | None:
    """The answer of a list, once it is not the list."""
    answer = client.get("/contracts")
    return None if answer.status_code == 200 else answer
