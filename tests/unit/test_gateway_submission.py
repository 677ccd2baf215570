"""Creations that nobody answers: whether an analysis has come of one decides whether its document stays."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from dealguard_gateway.kubernetes.api import analyses_path
from dealguard_gateway.submission import Submission, options_from
from tests.object_storage import ObjectStorage, running_object_storage
from tests.unit.gateway_api_server import ApiServer, gateway_on
from tests.unit.gateway_fakes import FakeGateway, analysis

PDF = b"%PDF-1.7\nA lease."
# As `POST /contracts` of `PDF` in acme calls it.
NAME = Submission.new("acme", options_from({}), file_name=None, idempotency_key=None).name(
    "own", hashlib.sha256(PDF).hexdigest()
)
PATH = analyses_path("acme", NAME)


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as storage:
        yield storage


@pytest.fixture
async def server() -> ApiServer:
    return ApiServer()


@pytest.fixture
async def gateway(server: ApiServer, storage: ObjectStorage) -> AsyncIterator[FakeGateway]:
    async with gateway_on(server, storage) as gateway:
        yield gateway
    for key in list(storage.keys()):
        storage.client.remove_object(storage.bucket, key)


async def upload(gateway: FakeGateway) -> httpx.Response:
    async with gateway.client() as client:
        return await client.post("/contracts", params={"organization": "acme"}, files={"file": ("lease.pdf", PDF)})


def is_unavailable(answer: httpx.Response) -> bool:
    return answer.status_code == 503 and json.loads(answer.content)["type"].endswith(":cluster-unavailable")


async def wait_until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - neither the storage nor the server tells of it
            await asyncio.sleep(0.02)


async def test_a_creation_that_was_never_carried_out_leaves_nothing_and_can_be_repeated(
    server: ApiServer, gateway: FakeGateway, storage: ObjectStorage
) -> None:
    server.is_silent = lambda method: method == "POST"
    answer = await upload(gateway)
    assert is_unavailable(answer), answer.text
    assert server.asked["POST"] == 3, "it asks again under the same name"
    assert len(storage.keys()) == 1, "an analysis may still come"
    await wait_until(lambda: not storage.keys())
    assert server.asked["GET"] >= 4, "once at the request, and until a creation cannot come any more"

    server.is_silent = lambda _: False
    assert (await upload(gateway)).status_code == 202
    assert storage.keys() == [server.known.objects[PATH]["spec"]["document"]["key"]]


async def test_a_creation_whose_answer_is_lost_is_answered_like_any_other(
    server: ApiServer, gateway: FakeGateway, storage: ObjectStorage
) -> None:
    server.is_silent, server.works_first = lambda method: method == "POST", True
    answer = await upload(gateway)
    assert (answer.status_code, answer.headers["location"]) == (202, f"/contracts/acme.{NAME}"), answer.text
    assert storage.keys() == [server.known.objects[PATH]["spec"]["document"]["key"]]


async def test_a_creation_that_is_carried_out_after_its_client_was_told_keeps_its_document(
    server: ApiServer, gateway: FakeGateway, storage: ObjectStorage
) -> None:
    server.is_silent = lambda method: method == "POST"
    assert is_unavailable(await upload(gateway))
    looked = server.asked["GET"]
    server.speak()
    await wait_until(lambda: server.asked["GET"] > looked)
    await gateway.app.state.services.documents.close()  # at the end what is not settled is looked for a last time
    assert storage.keys() == [server.known.objects[PATH]["spec"]["document"]["key"]]
    assert storage.client.get_object(storage.bucket, storage.keys()[0]).read() == PDF


async def test_an_api_server_that_is_silent_for_minutes_is_asked_until_it_says(
    server: ApiServer, gateway: FakeGateway, storage: ObjectStorage
) -> None:
    server.is_silent, server.works_first = lambda _: True, True
    assert is_unavailable(await upload(gateway)), "not even what is there can be looked at"
    asked = server.asked["GET"]
    await wait_until(lambda: server.asked["GET"] > asked + 1)
    assert len(storage.keys()) == 1, "nobody knows"
    server.speak()
    asked = server.asked["GET"]
    await wait_until(lambda: server.asked["GET"] > asked)
    await gateway.app.state.services.documents.close()
    assert storage.keys() == [server.known.objects[PATH]["spec"]["document"]["key"]]


async def test_a_document_is_not_kept_for_somebody_elses_analysis_of_the_same_name(
    server: ApiServer, gateway: FakeGateway, storage: ObjectStorage
) -> None:
    server.is_silent = lambda method: method == "POST"
    assert is_unavailable(await upload(gateway))
    (ours,) = storage.keys()
    server.known.objects[PATH] = analysis(NAME)
    await wait_until(lambda: storage.keys() != [ours])
    assert storage.keys() == []
    assert server.asked["GET"] < 4, "decided before a creation cannot come any more"
