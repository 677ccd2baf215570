"""The whole way as a lawyer goes it: the page in Chromium, and all that the chart installs, two gateways among it."""

import hashlib
import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from dealguard_api.names import LABEL_UID
from dealguard_api.report import Report
from dealguard_cluster import Cluster
from tests.browser import chromium
from tests.cluster.gateway_tools import Tenants, User, poll, tenants
from tests.cluster.installation import NAMESPACE, Installation
from tests.cluster.tools import Kubectl, wait_for
from tests.documents import picture_only_pdf, sample_contract

__all__ = ["tenants"]  # fixtures

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

SCREENSHOTS = Path(__file__).resolve().parents[1] / "screenshots"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
# An analysis takes seconds; the machine may be busy with others.
ANALYSIS_MS = 150_000
GATEWAY_PORT = 30081  # of the node's own ports; the demo's is another
# Chromium does so in front of every address that is neither local nor has TLS.
HARMLESS = "The Cross-Origin-Opener-Policy header has been ignored"


@pytest.fixture(scope="module")
def installation(cluster: Cluster, kubectl: Kubectl, images: dict[str, str]) -> Iterator[Installation]:
    """DealGuard with its page, installed by the chart."""
    installation = Installation(cluster, kubectl, images, gateway_port=GATEWAY_PORT)
    installation.install()
    yield installation
    installation.uninstall()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests here."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the browser's console complains of; nothing, at the end."""
    found: list[str] = []
    yield found
    assert not [words for words in found if not words.startswith(HARMLESS)], found


def logged_in(browser: Browser, url: str, user: User, complaints: list[str], **context: Any) -> Page:
    """The page, after a login with the user's token."""
    page = browser.new_context(**context).new_page()
    page.set_default_timeout(30_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(url)
    page.locator("#token").fill(user.token)
    page.locator("form button[type=submit]").click()
    expect(page.locator(".zone")).to_be_visible(timeout=30_000)
    return page


def choose(page: Page, *paths: Path) -> None:
    """Choose files, as with the file picker."""
    page.locator("input[type=file]").set_input_files(list(paths))


@pytest.mark.parametrize(
    ("language", "size", "processing", "overview"),
    [("de", DESKTOP, "Wird verarbeitet", "Überblick"), ("en", PHONE, "Is being processed", "Overview")],
    ids=["german-desktop", "english-phone"],
)
def test_upload_live_stages_report_and_the_citation_opens_its_page(
    installation: Installation,
    tenants: Tenants,
    browser: Browser,
    complaints: list[str],
    language: str,
    size: dict[str, int],
    processing: str,
    overview: str,
) -> None:
    url = installation.page_url
    page = logged_in(browser, url, tenants.own, complaints, locale=language, viewport=size)
    page.evaluate(
        """() => {
          window.stages = new Set();
          new MutationObserver(() => {
            const now = document.querySelector("[aria-current=step]");
            if (now) window.stages.add(now.textContent);
          }).observe(document.body, {subtree: true, childList: true});
        }"""
    )
    choose(page, sample_contract(language))
    expect(page.get_by_role("heading", name=processing)).to_be_visible(timeout=30_000)
    expect(page.get_by_role("heading", name=overview)).to_be_visible(timeout=ANALYSIS_MS)
    assert len(page.evaluate("[...window.stages]")) >= 2, "the stages were shown as they came"
    assert exported(page, "md").startswith("# ")
    report = Report.model_validate_json(exported(page, "json"))
    assert report.document.sha256 == hashlib.sha256(sample_contract(language).read_bytes()).hexdigest()
    quote = page.locator(".quote").first
    quote.click()
    highlight = page.locator(".pdf-page[data-drawn] .highlight").first
    expect(highlight).to_be_in_viewport(timeout=30_000)
    covered = page.evaluate(
        """() => {
          const {left, right, top, bottom} = document.querySelector(".highlight").getBoundingClientRect();
          const spans = [...document.querySelectorAll(".textLayer span")];
          return spans.filter((span) => {
            const box = span.getBoundingClientRect();
            const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
            return left <= x && x <= right && top <= y && y <= bottom;
          }).map((span) => span.textContent).join(" ");
        }"""
    )
    beginning = " ".join(quote.inner_text().split()).lstrip("„“")[:20]
    assert beginning in " ".join(covered.split()), "the highlight lies on the line where the quote begins"
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"cluster-{language}.png")

    # In the list it is there, for a colleague too; for somebody of another organisation it is not.
    page.goto(f"{url}/#/")
    expect(page.locator(".row").first).to_contain_text(sample_contract(language).name)
    page.context.close()
    stranger = logged_in(browser, url, tenants.other, complaints, locale=language, viewport=size)
    expect(stranger.locator(".list-foot .empty")).to_be_visible()
    stranger.context.close()


def exported(page: Page, ending: str) -> str:
    """The report as a file with this ending, by the page's menu."""
    page.locator("#export").click()
    with page.expect_download() as download:
        page.locator(f".menu a[download$='.{ending}']").click()
    return download.value.path().read_text()


def test_a_scan_fails_with_what_to_do_and_can_be_deleted(
    installation: Installation,
    tenants: Tenants,
    browser: Browser,
    complaints: list[str],
    tmp_path: Path,
) -> None:
    scan = tmp_path / "Scan.pdf"
    scan.write_bytes(picture_only_pdf())
    page = logged_in(browser, installation.page_url, tenants.own, complaints, locale="de-DE", viewport=DESKTOP)
    choose(page, scan)
    expect(page.get_by_text("Die Seiten des PDFs sind Bilder ohne Text")).to_be_visible(timeout=ANALYSIS_MS)
    expect(page.get_by_text("Texterkennung")).to_be_visible()
    page.get_by_role("button", name="Löschen").click()
    page.get_by_role("button", name="Endgültig löschen").click()
    expect(page.get_by_text("Scan.pdf ist gelöscht.")).to_be_visible(timeout=30_000)
    expect(page.locator(".row", has_text="Scan.pdf")).to_have_count(0)
    page.context.close()


# Several replicas.


@pytest.fixture
def replicas(installation: Installation, kubectl: Kubectl) -> Iterator[dict[str, str]]:
    """The URL of each replica by its pod's name: a Service of its own leads to it alone."""
    names = [pod["metadata"]["name"] for pod in gateway_pods(kubectl)]
    assert len(names) == 2, "the chart's default"
    ports = {}
    for name in names:
        kubectl.check("-n", NAMESPACE, "label", "pod", name, f"only={name}", "--overwrite")
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"type": "NodePort", "selector": {"only": name}, "ports": [{"port": 80, "targetPort": "http"}]},
        }
        kubectl.apply(service)
        ports[name] = kubectl.get("service", name, NAMESPACE)["spec"]["ports"][0]["nodePort"]
    host = installation.cluster.layout.node_address
    yield {name: f"http://{host}:{port}" for name, port in ports.items()}
    kubectl.check("-n", NAMESPACE, "delete", "service", *names)


def gateway_pods(kubectl: Kubectl) -> list[dict[str, Any]]:
    """The gateway's pods."""
    return kubectl.items("pods", NAMESPACE, "-l", "app.kubernetes.io/component=gateway")


def client_of(url: str, **options: Any) -> httpx.Client:
    """The page's own requests, without a browser."""
    headers = {"X-Requested-With": "dealguard", "Sec-Fetch-Site": "same-origin"}
    transport = httpx.HTTPTransport(retries=3)  # until the node knows the way to a Service that is new
    return httpx.Client(base_url=url, headers=headers, timeout=30, transport=transport, trust_env=False, **options)


def requests_served(kubectl: Kubectl, pod: str, route: str) -> float:
    """How many requests of a route a replica has answered, by its metrics."""
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:8080/proxy/metrics"
    lines = kubectl.check("get", "--raw", path).splitlines()
    begin = "dealguard_gateway_request_duration_seconds_count{"
    counts = [line for line in lines if line.startswith(begin) and f'route="{route}"' in line]
    return sum(float(line.rsplit(" ", 1)[1]) for line in counts)


def test_replicas_know_each_others_sessions_and_uploads(
    installation: Installation,
    tenants: Tenants,
    kubectl: Kubectl,
    replicas: dict[str, str],
) -> None:
    one, other = replicas.values()
    with client_of(one) as first, client_of(other) as second:
        wait_for("the node to know both", lambda: all(answers(each) for each in (first, second)))
        assert first.post("/session", json={"token": tenants.own.token}).status_code == 204
        second.cookies = first.cookies
        assert second.get("/session").json()["user"] == tenants.own.username
        content = sample_contract("en").read_bytes() + os.urandom(4).hex().encode()
        uploaded = first.post("/contracts", files={"file": ("Licence.pdf", content)}, data={"engine": "rules"})
        assert uploaded.status_code == 202, uploaded.text
        id_ = uploaded.json()["id"]
        assert second.get(f"/contracts/{id_}").json()["fileName"] == "Licence.pdf", "at once"
        stages = []
        with second.stream("GET", f"/contracts/{id_}/events", timeout=ANALYSIS_MS / 1000) as events:
            for line in events.iter_lines():
                stages += [line] if '"status":"' in line.replace(" ", "") else []
                if '"completed"' in line:
                    break
        assert len(stages) > 2, "the other replica tells of each stage"
        assert poll(first, id_, status="completed")["summary"]
        assert second.get(f"/contracts/{id_}/report").content == first.get(f"/contracts/{id_}/report").content

        # One uid finds what all three parts tell of it.
        name = id_.partition(".")[2]
        uid = kubectl.get("ca", name, tenants.namespace)["metadata"]["uid"]
        gateway = lines_about(kubectl, uid, NAMESPACE, "app.kubernetes.io/component=gateway")
        operator = lines_about(kubectl, uid, NAMESPACE, "app.kubernetes.io/component=operator")
        analyzer = lines_about(kubectl, uid, tenants.namespace, f"{LABEL_UID}={uid}")
        assert [line["message"].partition(":")[0] for line in gateway] == ["POST /contracts"]
        assert "is Completed" in operator[-1]["message"]
        assert {"read", "analysed", "stored"} <= {line["event"] for line in analyzer}
        about = {(line["uid"], line["namespace"], line["name"]) for line in (*gateway, *operator, *analyzer)}
        assert about == {(uid, tenants.namespace, name)}

        # By the Service in front of both, on a connection of its own each time: none sticks to one.
        before = {pod: requests_served(kubectl, pod, "/contracts/{id}") for pod in replicas}
        for _ in range(24):
            with client_of(installation.page_url, cookies=first.cookies) as anybody:
                assert anybody.get(f"/contracts/{id_}").status_code == 200
        served = {pod: requests_served(kubectl, pod, "/contracts/{id}") - before[pod] for pod in replicas}
        assert sum(served.values()) == 24
        assert min(served.values()) > 0, served


def lines_about(kubectl: Kubectl, uid: str, namespace: str, selector: str) -> list[dict[str, Any]]:
    """The lines with an analysis's uid in the logs of the selected pods."""
    printed = kubectl.check("-n", namespace, "logs", "-l", selector, "--all-containers", "--tail=-1")
    return [json.loads(line) for line in printed.splitlines() if uid in line]


def answers(client: httpx.Client) -> bool:
    """Whether somebody is there."""
    with suppress(httpx.TransportError):
        return client.get("/session").status_code == 200
    return False


def test_nothing_is_lost_while_the_operator_is_away_and_a_gateway_is_killed(
    installation: Installation,
    tenants: Tenants,
    kubectl: Kubectl,
    browser: Browser,
    tmp_path: Path,
) -> None:
    operator = ["-n", NAMESPACE, "scale", "deployment/dealguard-operator"]
    files = [tmp_path / f"Vertrag {number}.pdf" for number in range(2)]
    for file in files:
        file.write_bytes(sample_contract("de").read_bytes() + file.name.encode())
    kubectl.check(*operator, "--replicas=0")
    try:
        gone = ["--for=delete", "pod", "-l", "app.kubernetes.io/component=operator", "--timeout=60s"]
        kubectl.check("-n", NAMESPACE, "wait", *gone)
        page = logged_in(browser, installation.page_url, tenants.own, [], locale="de-DE", viewport=DESKTOP)
        page.evaluate("window.isTheSame = true")
        choose(page, files[0])
        expect(page.locator("[aria-current=step]")).to_have_text("Wartet", timeout=30_000)
        page.screenshot(path=SCREENSHOTS / "cluster-waiting-de.png")

        # The one that the page listens to; the other one goes on.
        serving = wait_for("the page to listen", lambda: listened_to(kubectl))
        kill(serving)
        wait_for("the page to listen to the other one", lambda: listened_to(kubectl) not in (None, serving))
        expect(page.locator("[aria-current=step]")).to_have_text("Wartet")
        page.get_by_role("link", name="Verträge").first.click()
        choose(page, files[1])
        expect(page.locator("[aria-current=step]")).to_have_text("Wartet", timeout=30_000)
    finally:
        kubectl.check(*operator, "--replicas=2")
    expect(page.get_by_role("heading", name="Überblick")).to_be_visible(timeout=ANALYSIS_MS)
    page.get_by_role("link", name="Verträge").first.click()
    for file in files:
        expect(page.locator(".row", has_text=file.name)).to_contain_text("Risiko hoch", timeout=ANALYSIS_MS)
    assert page.evaluate("window.isTheSame"), "without a reload"
    page.context.close()


def listened_to(kubectl: Kubectl) -> str | None:
    """The uid of the one pod that has streams of events open; None: there is none, or two for a moment."""
    found = []
    for pod in gateway_pods(kubectl):
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}:8080/proxy/metrics"
        lines = kubectl.run("get", "--raw", path).stdout.splitlines()  # nothing from one that was killed
        streams = [line for line in lines if line.startswith("dealguard_gateway_event_streams ")]
        if any(float(line.split()[1]) for line in streams):
            found.append(str(pod["metadata"]["uid"]))
    return found[0] if len(found) == 1 else None


def kill(pod_uid: str) -> None:
    """End the gateway in a pod as a crash does: SIGKILL, without a word to anybody."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if pod_uid in (folder / "cgroup").read_text() and b"dealguard_gateway" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    assert found, f"no gateway runs in the pod {pod_uid}"
    for process in found:
        os.kill(process, signal.SIGKILL)
