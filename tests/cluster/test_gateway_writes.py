"""Uploads, control and erasing through the gateway, on the real API server and a real object storage of their own."""

import hashlib
import json
import os
import re
import socket
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from dealguard_api import names
from dealguard_cluster import Cluster
from tests.cluster.api_proxy import ApiProxy, Request
from tests.cluster.gateway_tools import (
    PDF,
    Gateway,
    Tenants,
    User,
    a_pdf,
    complete,
    form,
    gateway_kubeconfig,
    is_completed,
    make_account,
    own_storage_settings,
    running_gateway,
    tenants,
    upload,
)
from tests.cluster.tools import Kubectl, wait_for
from tests.object_storage import ObjectStorage, running_object_storage
from tests.reports import report_with

__all__ = ["gateway_kubeconfig", "tenants"]  # fixtures

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("crd")]

MAX_PDF_BYTES = 110 * 1024 * 1024
# One user has half of them.
MAX_UPLOADS = 8
SMALL_PDF_BYTES = 12 * 1024 * 1024
ANALYSES = "contractanalyses"


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as storage:
        yield storage


def storage_settings(storage: ObjectStorage) -> dict[str, str]:
    return {**own_storage_settings(storage), "max_pdf_bytes": str(MAX_PDF_BYTES), "upload_idle_seconds": "1"}


@pytest.fixture(scope="module")
def gateway(
    cluster: Cluster,
    gateway_kubeconfig: Path,
    storage: ObjectStorage,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("log")
    with running_gateway(cluster, gateway_kubeconfig, folder, **storage_settings(storage)) as gateway:
        yield gateway
    assert "Traceback" not in gateway.log


@pytest.fixture(scope="module")
def proxy(cluster: Cluster) -> Iterator[ApiProxy]:
    with ApiProxy(Path(cluster.kubeconfig)) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def second(
    cluster: Cluster, proxy: ApiProxy, storage: ObjectStorage, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """Another gateway of the same installation, whose API server the test can disturb; it takes small documents."""
    folder = tmp_path_factory.mktemp("second")
    settings = {**storage_settings(storage), "max_pdf_bytes": str(SMALL_PDF_BYTES)}
    with running_gateway(cluster, proxy.kubeconfig(folder / "config"), folder, **settings) as gateway:
        yield gateway
    assert "Traceback" not in gateway.log


@pytest.fixture
def own(gateway: Gateway, tenants: Tenants) -> Iterator[httpx.Client]:
    with gateway.client(tenants.own) as client:
        yield client


def word_of(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).removeprefix("urn:dealguard:problem:")


def documents_in(storage: ObjectStorage, namespace: str) -> list[str]:
    return storage.keys(names.document_prefix(namespace))


# Uploads.


def test_an_upload_becomes_an_analysis_and_the_same_upload_the_same_one(
    own: httpx.Client, tenants: Tenants, storage: ObjectStorage
) -> None:
    content = a_pdf()
    name = 'Müller "& Söhne".pdf'
    answer = upload(own, tenants.namespace, content, name=name, engine="rules", perspective=" Käufer ")
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert answer.headers["location"] == f"/contracts/{body['id']}"
    assert answer.headers["retry-after"] == "3"
    assert (body["status"], body["fileName"], body["submittedBy"]) == ("pending", name, tenants.own.username)
    spec = tenants.get(body["id"])["spec"]
    assert (spec["engine"], spec["language"], spec["perspective"]) == ("rules", "auto", "Käufer")
    assert spec["submittedBy"] == tenants.own.username
    assert spec["document"]["sha256"] == hashlib.sha256(content).hexdigest()
    key = spec["document"]["key"]
    assert storage.client.get_object(storage.bucket, key).read() == content
    assert own.get(answer.headers["location"]).json()["id"] == body["id"], "its own write is there to be read"

    before = documents_in(storage, tenants.namespace)
    again = upload(own, tenants.namespace, content, name="other.pdf", engine="rules", perspective="Käufer")
    assert (again.status_code, again.json()["id"]) == (200, body["id"])
    assert documents_in(storage, tenants.namespace) == before, "the second copy is gone"
    other = upload(own, tenants.namespace, content, engine="rules", language="de")
    assert (other.status_code, other.json()["id"] == body["id"]) == (202, False), "other options are another analysis"

    storage.client.remove_object(storage.bucket, key)
    assert upload(own, tenants.namespace, content, engine="rules", perspective="Käufer").status_code == 200
    assert storage.client.get_object(storage.bucket, key).read() == content, "a document that was lost is there again"


def raw_form(*parts: tuple[str, bytes], end: bytes = b"--x--\r\n") -> dict[str, Any]:
    """A body as it is: the headers and the content of each part."""
    body = b"".join(
        b"--x\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    return {"content": body + end, "headers": {"Content-Type": "multipart/form-data; boundary=x"}}


FILE = 'name="file"; filename="a.pdf"'
REFUSALS = [
    ("not a PDF", 422, "not-a-pdf", form(b"Dear Sir")),
    ("nothing in it", 422, "document-empty", form(b"")),
    ("a form without a file", 422, "file-missing", raw_form(('name="engine"', b"rules"))),
    ("no form", 415, "not-multipart", {"content": PDF, "headers": {"Content-Type": "application/pdf"}}),
    ("no boundary", 415, "not-multipart", {"content": PDF, "headers": {"Content-Type": "multipart/form-data"}}),
    ("not what it says it is", 400, "malformed-multipart", raw_form(end=PDF)),
    ("cut off", 400, "upload-incomplete", raw_form((FILE, PDF), end=b"")),
    ("a part without a name", 400, "malformed-multipart", raw_form(("x=y", b"rules"), (FILE, PDF))),
    ("two files", 422, "several-files", raw_form((FILE, PDF), (FILE, PDF))),
    ("a field after the file", 422, "fields-after-file", raw_form((FILE, PDF), ('name="engine"', b"rules"))),
    ("the file under another name", 422, "unknown-field", raw_form(('name="f"; filename="a.pdf"', PDF))),
    ("a field twice", 422, "unknown-field", raw_form(*[('name="engine"', b"auto")] * 2, (FILE, PDF))),
    ("a field of 5 KB", 422, "field-too-long", raw_form(('name="perspective"', b"x" * 5000), (FILE, PDF))),
    ("a field that is no text", 422, "invalid-field", raw_form(('name="perspective"', b"\xff"), (FILE, PDF))),
    ("21 parts", 413, "too-many-parts", raw_form(*[(f'name="f{n}"', b"") for n in range(21)], (FILE, PDF))),
    ("a field that there is not", 422, "unknown-field", form(PDF, image="evil")),
    ("no engine", 422, "invalid-field", form(PDF, engine="gpt")),
    ("a language that it cannot", 422, "invalid-field", form(PDF, language="fr")),
    ("a price with a sign", 422, "invalid-field", form(PDF, maxCostUSD="$1")),
    ("a party of two lines", 422, "invalid-field", form(PDF, perspective="a\nb")),
    ("another organization in the form", 422, "organization-contradicted", form(PDF, organization="acme")),
    ("a key of two hundred and one", 422, "invalid-idempotency-key",
     {**form(PDF), "headers": {"Idempotency-Key": "k" * 201}}),
]  # fmt: skip


@pytest.mark.parametrize(("why", "status", "word", "request_"), REFUSALS, ids=[case[0] for case in REFUSALS])
def test_what_cannot_be_used_is_refused_in_words_and_leaves_nothing(
    why: str,
    status: int,
    word: str,
    request_: dict[str, Any],
    own: httpx.Client,
    tenants: Tenants,
    storage: ObjectStorage,
) -> None:
    before = documents_in(storage, tenants.namespace)
    answer = own.post("/contracts", params={"organization": tenants.namespace}, **request_)
    assert (answer.status_code, word_of(answer)) == (status, word), answer.text
    assert documents_in(storage, tenants.namespace) == before
    assert storage.unfinished() == []


def test_nothing_is_taken_from_who_may_not(gateway: Gateway, tenants: Tenants) -> None:
    size = MAX_PDF_BYTES
    cases = [
        ("nobody", None, tenants.namespace, size, 401, "not-logged-in"),
        ("no rights at all", tenants.nobody, tenants.namespace, size, 403, "forbidden"),
        ("somebody else's organization", tenants.other, tenants.namespace, size, 403, "forbidden"),
        ("an organization that is not there", tenants.own, "nowhere", size, 403, "forbidden"),
        ("what no organization can be called", tenants.own, "../kube-system", size, 422, "organization-invalid"),
        ("too large by its own word", tenants.own, tenants.namespace, 10 * size, 413, "document-too-large"),
    ]
    for why, user, organization, announced, status, word in cases:
        with talk(gateway, user, organization, announced) as connection:
            head, body = connection.read_answer()
        assert head.split()[1] == str(status).encode(), (
            f"{why}: before a byte was sent, not even 100 Continue: {head!r}"
        )
        assert json.loads(body)["type"].endswith(word), why


def test_expect_100_continue_a_client_that_stops_and_one_that_goes(
    gateway: Gateway, tenants: Tenants, storage: ObjectStorage
) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n' + PDF
    before = documents_in(storage, tenants.namespace)
    with talk(gateway, tenants.own, tenants.namespace, 10**7) as connection:
        assert connection.read_answer() == (b"HTTP/1.1 100 Continue\r\n\r\n", b"")
        connection.send(head)
        answer, problem = connection.read_answer()
        assert answer.startswith(b"HTTP/1.1 408 "), answer
        assert b"upload-too-slow" in problem
    with talk(gateway, tenants.own, tenants.namespace, 10**7) as connection:
        connection.read_answer()
        connection.send(head + b"x" * 6 * 1024 * 1024)
        wait_for("the first part", storage.unfinished, 10)
    wait_for("nothing to be left of it", lambda: not storage.unfinished(), 10)
    assert documents_in(storage, tenants.namespace) == before


def test_an_organization_need_not_be_named_where_there_is_one(gateway: Gateway, tenants: Tenants) -> None:
    with gateway.client(tenants.own) as client:
        assert client.post("/contracts", **form(a_pdf())).json()["organization"] == tenants.namespace
        assert client.post("/contracts", **form(a_pdf(), organization=tenants.namespace)).status_code == 202
        assert client.post("/contracts", **form(a_pdf(), organization=tenants.other_namespace)).status_code == 403
    with gateway.client(tenants.nobody) as client:
        assert word_of(client.post("/contracts", **form(a_pdf()))) == "organization-missing"


def test_where_the_form_names_the_organization_leave_is_asked_for_before_the_file_comes(
    gateway: Gateway, tenants: Tenants, storage: ObjectStorage
) -> None:
    fields = (
        b'--x\r\nContent-Disposition: form-data; name="organization"\r\n\r\n%s\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    )
    for user, organization, status, word in (
        (tenants.own, tenants.other_namespace, 403, "forbidden"),
        (tenants.own, "../kube-system", 422, "organization-invalid"),
        (tenants.nobody, tenants.namespace, 403, "forbidden"),
    ):
        with talk(gateway, user, None, 10**7) as connection:
            assert connection.read_answer() == (b"HTTP/1.1 100 Continue\r\n\r\n", b""), "the fields are asked for"
            connection.send(fields % organization.encode())
            head, body = connection.read_answer()  # of the file not a byte was sent
        assert (head.split()[1], json.loads(body)["type"].rpartition(":")[2]) == (str(status).encode(), word)
    assert documents_in(storage, tenants.other_namespace) == []
    assert storage.unfinished() == []


def test_an_idempotency_key_stands_for_one_request(own: httpx.Client, tenants: Tenants, storage: ObjectStorage) -> None:
    content, headers = a_pdf(), {"Idempotency-Key": uuid.uuid4().hex}
    first = upload(own, tenants.namespace, content, headers=headers)
    before = documents_in(storage, tenants.namespace)
    again = upload(own, tenants.namespace, content, headers=headers)
    assert (first.status_code, again.status_code, again.json()["id"]) == (202, 200, first.json()["id"])
    for why, other in (("another document", form(a_pdf())), ("other options", form(content, language="de"))):
        answer = own.post("/contracts", params={"organization": tenants.namespace}, headers=headers, **other)
        assert (answer.status_code, word_of(answer)) == (422, "idempotency-key-reused"), why
    assert documents_in(storage, tenants.namespace) == before
    another = upload(own, tenants.namespace, content, headers={"Idempotency-Key": uuid.uuid4().hex})
    assert another.status_code == 202, "another key is another request"


def test_the_same_document_at_the_same_time_on_two_gateways(
    gateway: Gateway, second: Gateway, tenants: Tenants, storage: ObjectStorage
) -> None:
    content = a_pdf()
    before = set(documents_in(storage, tenants.namespace))
    with (
        gateway.client(tenants.own) as one,
        second.client(tenants.own) as two,
        ThreadPoolExecutor(12) as threads,
    ):
        clients = [one, two] * 6
        answers = list(threads.map(lambda client: upload(client, tenants.namespace, content), clients))
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [202], [a.text for a in answers]
    (id_,) = {answer.json()["id"] for answer in answers}
    left = set(documents_in(storage, tenants.namespace)) - before
    assert left == {tenants.get(id_)["spec"]["document"]["key"]}


def test_a_document_of_100_mb_adds_under_32_mb_of_memory(
    gateway: Gateway, own: httpx.Client, tenants: Tenants, storage: ObjectStorage
) -> None:
    size, piece = 100 * 1024 * 1024, os.urandom(1024 * 1024)
    upload(own, tenants.namespace, a_pdf())  # what the first upload of all loads is no document's
    Path(f"/proc/{gateway.process.pid}/clear_refs").write_text("5")  # the peak begins anew
    before = memory_bytes(gateway, "VmRSS")

    def body() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="large.pdf"\r\n\r\n%PDF-1.7\n'
        for _ in range(size // len(piece)):
            yield piece
        yield b"\r\n--x--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = own.post("/contracts", params={"organization": tenants.namespace}, headers=headers, content=body())
    assert answer.status_code == 202, answer.text
    added = memory_bytes(gateway, "VmHWM") - before
    print(f"100 MB uploaded: {added / 2**20:.1f} MiB of memory more at its peak")
    assert added < 32 * 1024 * 1024
    key = tenants.get(answer.json()["id"])["spec"]["document"]["key"]
    assert storage.client.stat_object(storage.bucket, key).size == size + 9

    document = own.get(f"/contracts/{answer.json()['id']}/document", headers={"Range": "bytes=-5"})
    assert (document.status_code, document.content) == (206, piece[-5:])
    assert own.delete(f"/contracts/{answer.json()['id']}").status_code == 200


def test_more_than_the_limit_without_saying_so(second: Gateway, tenants: Tenants, storage: ObjectStorage) -> None:
    def body() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="large.pdf"\r\n\r\n%PDF-1.7\n'
        for _ in range(SMALL_PDF_BYTES // 2**20 + 1):
            yield bytes(2**20)

    before = documents_in(storage, tenants.namespace)
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    with second.client(tenants.own) as own:
        answer = own.post("/contracts", params={"organization": tenants.namespace}, headers=headers, content=body())
    assert (answer.status_code, word_of(answer)) == (413, "document-too-large")
    assert (documents_in(storage, tenants.namespace), storage.unfinished()) == (before, [])


def test_two_hundred_at_once_are_all_taken_in_the_end(
    cluster: Cluster, gateway_kubeconfig: Path, tenants: Tenants, storage: ObjectStorage, tmp_path: Path
) -> None:
    # With the usual patience: two hundred clients on one machine keep each other waiting.
    settings = {**own_storage_settings(storage), "max_uploads": str(MAX_UPLOADS)}
    users = ((tenants.own, tenants.namespace), (tenants.other, tenants.other_namespace))
    contents = [PDF + os.urandom(200_000) for _ in range(200)]
    ids: dict[bytes, str] = {}
    limits = httpx.Limits(max_connections=None)
    with (
        running_gateway(cluster, gateway_kubeconfig, tmp_path, **settings) as gateway,
        gateway.client(tenants.own, limits=limits) as one,
        gateway.client(tenants.other, limits=limits) as other,
        ThreadPoolExecutor(200) as threads,
        sampled(lambda: gateway.metric("dealguard_gateway_uploads")) as under_way,
    ):

        def send(number: int) -> httpx.Response:
            client, (_, organization) = (one, other)[number % 2], users[number % 2]
            return upload(client, organization, contents[number], engine="rules")

        for _ in range(10):
            missing = [number for number, content in enumerate(contents) if content not in ids]
            for number, answer in zip(missing, threads.map(send, missing), strict=True):
                if answer.status_code in (200, 202):
                    ids[contents[number]] = answer.json()["id"]
                else:
                    assert answer.status_code in (429, 503) and int(answer.headers["retry-after"]) > 0, answer.text
            if len(ids) == len(contents):
                break
            time.sleep(1)
    assert len(set(ids.values())) == 200
    assert MAX_UPLOADS / 2 < max(under_way) <= MAX_UPLOADS, "more than one user's half, and never more than all places"
    kept: dict[str, str] = {}
    for _, organization in users:
        for item in tenants.kubectl.items("ca", organization):
            kept[f"{organization}.{item['metadata']['name']}"] = item["spec"]["document"]["key"]
        left = set(documents_in(storage, organization))
        assert left <= set(kept.values()), "nothing is left that is nobody's"
    for content, id_ in ids.items():
        assert storage.client.get_object(storage.bucket, kept[id_]).read() == content
    for _, organization in users:
        tenants.kubectl.check("-n", organization, "delete", "ca", "--all", "--wait=false")


@contextmanager
def sampled(read: Callable[[], float]) -> Iterator[list[float]]:
    """What `read` says, again and again until the block ends."""
    samples: list[float] = []
    is_over = threading.Event()

    def take() -> None:
        while not is_over.wait(0.02):
            samples.append(read())

    with ThreadPoolExecutor(1) as thread:
        sampling = thread.submit(take)
        try:
            yield samples
        finally:
            is_over.set()
        sampling.result()


# Faults.


def test_storage_that_is_away_during_an_upload(
    own: httpx.Client, tenants: Tenants, storage: ObjectStorage, gateway: Gateway
) -> None:
    content = PDF + os.urandom(12 * 1024 * 1024)
    before = set(documents_in(storage, tenants.namespace))

    def with_an_outage() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
        yield content[: 6 * 1024 * 1024]
        wait_for("the first part", storage.unfinished, 10)
        storage.stop()
        yield content[6 * 1024 * 1024 :]
        yield b"\r\n--x--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    try:
        answer = own.post(
            "/contracts", params={"organization": tenants.namespace}, headers=headers, content=with_an_outage()
        )
        assert (answer.status_code, word_of(answer)) == (503, "storage-unavailable")
        assert int(answer.headers["retry-after"]) > 0
        again = upload(own, tenants.namespace, content)
        assert (again.status_code, word_of(again)) == (503, "storage-unavailable"), "still away"
    finally:
        storage.start()
    repeated = upload(own, tenants.namespace, content)
    assert repeated.status_code == 202, repeated.text
    key = tenants.get(repeated.json()["id"])["spec"]["document"]["key"]
    wait_for("nothing else to be left", lambda: not storage.unfinished(), 20)
    assert set(documents_in(storage, tenants.namespace)) - before == {key}


def test_what_the_cluster_refuses_leaves_nothing(
    own: httpx.Client, tenants: Tenants, storage: ObjectStorage, kubectl: Kubectl
) -> None:
    before = documents_in(storage, tenants.namespace)
    quota = ["-n", tenants.namespace, "quota", "none"]
    kubectl.check("create", *quota, f"--hard=count/{ANALYSES}.{names.GROUP}=0")
    try:
        wait_for("the quota to count", lambda: kubectl.get("quota", "none", tenants.namespace)["status"].get("hard"))
        content = a_pdf()
        answer = wait_for(
            "a refusal", lambda: refused if (refused := upload(own, tenants.namespace, content)).is_error else None
        )
        assert (answer.status_code, word_of(answer)) == (403, "quota-exceeded")
        assert documents_in(storage, tenants.namespace) == before
    finally:
        kubectl.check("delete", *quota)
    assert upload(own, tenants.namespace, content).status_code == 202


def is_creation(request: Request) -> bool:
    return request.verb == (names.GROUP, ANALYSES, "create")


def test_an_api_server_that_does_not_answer_or_whose_answer_is_lost(
    second: Gateway, proxy: ApiProxy, tenants: Tenants, storage: ObjectStorage
) -> None:
    before = set(documents_in(storage, tenants.namespace))
    content = a_pdf()
    cut: list[Request] = []

    def cutting(request: Request) -> Callable[[AsyncIterator[bytes]], AsyncIterator[bytes]] | None:
        if not is_creation(request) or cut:
            return None
        cut.append(request)
        return broken

    with second.client(tenants.own) as client:
        proxy.fault = lambda request: (503, {}) if is_creation(request) else None
        answer = upload(client, tenants.namespace, content)
        assert (answer.status_code, word_of(answer)) == (503, "cluster-unavailable")
        assert set(documents_in(storage, tenants.namespace)) == before, "it was not created, so nothing is needed"
        proxy.fault = lambda request: None

        proxy.relay = cutting
        answer = upload(client, tenants.namespace, content)
        proxy.relay = lambda request: None
    assert cut, "the API server has created it, and the gateway was not told"
    assert answer.status_code == 202, answer.text
    left = set(documents_in(storage, tenants.namespace)) - before
    assert left == {tenants.get(answer.json()["id"])["spec"]["document"]["key"]}


async def broken(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield chunk[:10]
        raise ConnectionAbortedError


# What is read.


def uploaded(client: httpx.Client, namespace: str, **more: Any) -> str:
    answer = upload(client, namespace, a_pdf(), **more)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def test_the_report_in_three_forms_checked_before_it_is_sent(
    own: httpx.Client, tenants: Tenants, storage: ObjectStorage
) -> None:
    id_ = uploaded(own, tenants.namespace, name="Lease <script>.pdf")
    path = f"/contracts/{id_}/report"
    assert word_of(own.get(path)) == "report-not-ready"
    content = report_with("The tenant pays the rent.").model_dump_json(by_alias=True).encode()
    key = complete(tenants, storage, id_, content)
    wait_for("the report", lambda: is_completed(own, id_), 10)
    answer = own.get(path)
    assert (answer.content, answer.headers["content-type"]) == (content, "application/json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert own.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    for request, media_type, begins in (
        ({"params": {"format": "markdown"}}, "text/markdown; charset=utf-8", "# "),
        ({"headers": {"Accept": "text/html,*/*;q=0.8"}}, "text/html; charset=utf-8", "<!doctype html>"),
        ({"headers": {"Accept": "text/markdown"}, "params": {"language": "de"}}, "text/markdown; charset=utf-8", "# "),
    ):
        answer = own.get(path, **request)
        assert answer.headers["content-type"] == media_type
        assert answer.text.startswith(begins)
    html = own.get(path, params={"format": "html"})
    assert "sandbox" in html.headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in html.headers["content-security-policy"]
    assert "<script>" not in html.text
    assert html.headers["content-disposition"] == 'inline; filename="Lease _script_.report.html"'

    storage.put(key, content + b" ")
    assert word_of(own.get(path)) == "report-not-found", "it is not the report that the status tells of"
    storage.client.remove_object(storage.bucket, key)
    assert word_of(own.get(path)) == "report-not-found"
    elsewhere = names.report_key(tenants.other_namespace, "uid", 1)
    complete(tenants, storage, id_, content, elsewhere)
    wait_for("the change", lambda: word_of(own.get(path)) == "report-not-found", 10)
    assert "outside" in wait_for("the change", lambda: d if "outside" in (d := own.get(path).json()["detail"]) else "")
    storage.client.remove_object(storage.bucket, elsewhere)


def test_the_document_whole_and_in_ranges(own: httpx.Client, tenants: Tenants, storage: ObjectStorage) -> None:
    content = a_pdf("0123456789")
    id_ = upload(own, tenants.namespace, content, name="Mietvertrag Käufer.pdf").json()["id"]
    path = f"/contracts/{id_}/document"
    whole = own.get(path)
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["content-type"] == "application/pdf"
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-disposition"] == (
        "inline; filename=\"Mietvertrag Kaufer.pdf\"; filename*=UTF-8''Mietvertrag%20K%C3%A4ufer.pdf"
    )
    etag = whole.headers["etag"]
    assert own.get(path, headers={"If-None-Match": etag}).status_code == 304
    part = own.get(path, headers={"Range": "bytes=9-12", "If-Range": etag})
    assert (part.status_code, part.content) == (206, b"0123")
    assert part.headers["content-range"] == f"bytes 9-12/{len(content)}"
    assert own.get(path, headers={"Range": "bytes=9-12", "If-Range": '"another"'}).content == content
    beyond = own.get(path, headers={"Range": "bytes=1000-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(content)}")
    storage.client.remove_object(storage.bucket, tenants.get(id_)["spec"]["document"]["key"])
    assert (own.get(path).status_code, word_of(own.get(path))) == (404, "document-not-found")


# Control and erasing.


def test_cancel_and_rerun(own: httpx.Client, tenants: Tenants) -> None:
    id_ = uploaded(own, tenants.namespace)
    early = own.post(f"/contracts/{id_}/rerun")
    assert (early.status_code, word_of(early)) == (409, "not-finished")
    for _ in range(2):
        assert own.post(f"/contracts/{id_}/cancel").status_code == 202, "a second time changes nothing"
    assert tenants.get(id_)["spec"]["cancel"] is True
    tenants.write_status(id_, phase="Cancelled", run=1)
    wait_for("its end", lambda: own.get(f"/contracts/{id_}").json()["status"] == "cancelled", 10)
    late = own.post(f"/contracts/{id_}/cancel")
    assert (late.status_code, word_of(late)) == (409, "already-finished")
    rerun = own.post(f"/contracts/{id_}/rerun")
    assert (rerun.status_code, rerun.json()["status"]) == (202, "pending")
    spec = tenants.get(id_)["spec"]
    assert (spec["runToken"], spec["cancel"], spec["suspend"]) == ("run-2", False, False)
    twice = own.post(f"/contracts/{id_}/rerun")
    assert word_of(twice) == "not-finished", "asked for already: a second run would be paid twice"


def test_who_may_see_but_not_change_is_told_so(gateway: Gateway, own: httpx.Client, tenants: Tenants) -> None:
    reader = make_account(tenants.kubectl, tenants.namespace, "reader", ["get", "list", "watch"])
    id_ = uploaded(own, tenants.namespace)
    for user, status in ((reader, 403), (tenants.other, 404), (tenants.nobody, 404)):
        with gateway.client(user) as client:
            answers = [
                client.post(f"/contracts/{id_}/cancel"),
                client.post(f"/contracts/{id_}/rerun"),
                client.delete(f"/contracts/{id_}"),
            ]
            assert [answer.status_code for answer in answers] == [status] * 3
    assert tenants.get(id_)["spec"].get("cancel") is not True


def test_erasing_takes_everything_and_keeps_what_others_need(
    own: httpx.Client, tenants: Tenants, storage: ObjectStorage
) -> None:
    namespace = tenants.namespace
    report = report_with("The tenant pays the rent.").model_dump_json(by_alias=True).encode()
    first, second = uploaded(own, namespace), uploaded(own, namespace)
    key = complete(tenants, storage, first, report)
    complete(tenants, storage, second, report, key)  # as one that reuses the first one's report
    uid = tenants.get(first)["metadata"]["uid"]
    checkpoint, pointer = names.checkpoint_key(namespace, uid, 2), f"{names.cache_prefix(namespace)}{'a' * 64}"
    others = f"{names.cache_prefix(namespace)}{'b' * 64}", f"{names.report_prefix(tenants.other_namespace)}x/1.json"
    storage.put(checkpoint, b"{}")
    storage.put(pointer, json.dumps({"result": {"report": {"key": key}}}).encode())
    for other in others:
        storage.put(other, b"{}")
    wait_for("both reports", lambda: is_completed(own, first) and is_completed(own, second), 10)
    documents = [tenants.get(each)["spec"]["document"]["key"] for each in (first, second)]

    answer = own.delete(f"/contracts/{first}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["erased"] == ["analysis", "document"], "not the report, which another contract has too"
    assert len(answer.json()["kept"]) == 1 and second in answer.json()["kept"][0]
    assert own.get(f"/contracts/{first}").status_code == 404
    left = set(storage.keys())
    assert {key, documents[1], pointer, *others} <= left
    assert not {documents[0], checkpoint} & left
    assert own.get(f"/contracts/{second}/report").status_code == 200

    second_uid = tenants.get(second)["metadata"]["uid"]
    storage.stop()
    try:
        away = own.delete(f"/contracts/{second}")
        assert (away.status_code, word_of(away)) == (503, "storage-unavailable")
        assert own.get(f"/contracts/{second}").status_code == 200, "so that it can be repeated"
    finally:
        storage.start()
    answer = own.delete(f"/contracts/{second}")
    assert (answer.status_code, answer.json()["kept"]) == (200, []), answer.text
    assert answer.json()["erased"] == ["analysis", "document", "reports"]
    left = set(storage.keys())
    assert not {key, documents[1], pointer} & left
    assert set(others) <= left, "nothing else is touched"
    late = names.report_key(namespace, second_uid, 1)
    storage.put(late, report)  # as a pod does that has not heard yet
    wait_for("what came late to be erased", lambda: late not in set(storage.keys()), 15)


# A client that says exactly what the test wants.


class Talk:
    """One connection with the head of an upload sent; a context manager."""

    def __init__(self, gateway: Gateway, user: User | None, organization: str | None, announced_bytes: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", gateway.port), 10)
        token = f"Authorization: Bearer {user.token}\r\n" if user else ""
        query = f"?organization={organization}" if organization else ""
        self.send(
            f"POST /contracts{query} HTTP/1.1\r\nHost: gateway\r\n{token}Expect: 100-continue\r\n"
            f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {announced_bytes}\r\n\r\n".encode()
        )

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def read_answer(self) -> tuple[bytes, bytes]:
        """The head and the body of the next answer; 100 Continue is one without a body."""
        head = bytearray()
        while not head.endswith(b"\r\n\r\n"):
            byte = self._socket.recv(1)
            assert byte, f"the connection ended after {bytes(head)!r}"
            head += byte
        length = re.search(rb"content-length: (\d+)", head)
        body = bytearray()
        while length and len(body) < int(length[1]):
            body += self._socket.recv(int(length[1]) - len(body))
        return bytes(head), bytes(body)

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


talk = Talk


def memory_bytes(gateway: Gateway, what: str) -> int:
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(f"{what}:"))) * 1024
