"""What the answer to an erasure says is gone, where the last look at the storage fails."""

from collections.abc import Iterator

import pytest

from dealguard_api import names
from dealguard_gateway.kubernetes.api import analyses_path
from tests.object_storage import ObjectStorage, running_object_storage
from tests.unit.gateway_api_server import ApiServer, gateway_on
from tests.unit.gateway_fakes import analysis

DOCUMENT = "documents/acme/lease.pdf"
REPORT = names.report_key("acme", "acme-lease-uid", 1)


@pytest.fixture(scope="module")
def storage() -> Iterator[ObjectStorage]:
    with running_object_storage() as storage:
        yield storage


async def test_after_the_last_look_has_failed_the_contract_is_gone_but_not_said_to_be_without_a_report(
    storage: ObjectStorage,
) -> None:
    server = ApiServer()
    raw = analysis(status={"phase": "Completed", "result": {"report": {"key": REPORT}}})
    server.known.objects[analyses_path("acme", "lease")] = raw
    for key in (DOCUMENT, REPORT):
        storage.put(key, b"{}")
    server.deleted = storage.stop
    async with gateway_on(server, storage) as gateway, gateway.client() as client:
        gateway.store.put(raw)
        answer = await client.delete("/contracts/acme.lease")
        assert (answer.status_code, answer.json()["erased"]) == (200, ["analysis", "document"]), answer.text
        assert [sentence.partition(":")[0] for sentence in answer.json()["kept"]] == [
            "Perhaps a report that a running analysis stored in its last seconds"
        ]
        assert (await client.get("/contracts/acme.lease")).status_code == 404
    storage.start()
    assert storage.keys() == [], "what was there before had gone before the contract did"


async def test_what_is_verified_is_said(storage: ObjectStorage) -> None:
    server = ApiServer()
    raw = analysis()
    server.known.objects[analyses_path("acme", "lease")] = raw
    storage.put(DOCUMENT, b"%PDF-1.7")
    async with gateway_on(server, storage) as gateway, gateway.client() as client:
        gateway.store.put(raw)
        answer = await client.delete("/contracts/acme.lease")
        assert answer.json() == {"erased": ["analysis", "document", "reports"], "kept": []}, answer.text
    assert storage.keys() == []
