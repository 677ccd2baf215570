"""Object storage by presigned URL: what each answer means, what is tried again, what is never said."""

import hashlib
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dealguard_analyzer.containers.storage import PresignedStorage
from dealguard_analyzer.errors import AnalysisError
from dealguard_api.reasons import Reason
from tests.standins.presigned_storage import SIGNATURE, Fault
from tests.standins.presigned_storage import PresignedStorage as StorageServer

DOCUMENT = "documents/team-a/contract.pdf"
REPORT = "reports/team-a/uid/1.json"
CONTENT = b"%PDF-1.7 " + bytes(range(256)) * 1000
MAX_BYTES = 1 << 20


@pytest.fixture
def server() -> Iterator[StorageServer]:
    with StorageServer() as server:
        server.objects[DOCUMENT] = CONTENT
        yield server


@pytest.fixture
def storage() -> Iterator[PresignedStorage]:
    with PresignedStorage(pauses_seconds=(0.0, 0.01), timeout_seconds=0.5) as storage:
        yield storage


def in_seconds(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_download(server: StorageServer, storage: PresignedStorage, tmp_path: Path) -> None:
    download = storage.download(server.url(DOCUMENT), tmp_path / "d.pdf", MAX_BYTES)
    assert (tmp_path / "d.pdf").read_bytes() == CONTENT
    assert download.size_bytes == len(CONTENT)
    assert download.sha256 == hashlib.sha256(CONTENT).hexdigest()


FAULTS: list[tuple[str, list[Fault], Reason | None, int]] = [
    ("an error that passes", [503, 500], None, 3),
    ("too many requests", [429], None, 2),
    ("a connection that is cut", ["cut"], None, 2),
    ("an answer that does not come", ["stall"], None, 2),
    ("an error that stays", [503, 503, 503], Reason.STORAGE_UNAVAILABLE, 3),
    ("always cut", ["cut", "cut", "cut"], Reason.STORAGE_UNAVAILABLE, 3),
    ("not there", [404], Reason.DOCUMENT_NOT_FOUND, 1),
    ("the bucket is not there", ["no bucket"], Reason.STORAGE_UNAVAILABLE, 1),
    ("an expired URL is not tried again", [403], Reason.STORAGE_UNAVAILABLE, 1),
    ("a redirect: a presigned URL is valid for its host only", [307], Reason.STORAGE_UNAVAILABLE, 1),
    ("a body without an end", ["endless"], Reason.DOCUMENT_TOO_LARGE, 1),
]


@pytest.mark.parametrize(("faults", "reason", "requests"), [case[1:] for case in FAULTS], ids=[c[0] for c in FAULTS])
def test_download_faults(
    faults: list[Fault],
    reason: Reason | None,
    requests: int,
    server: StorageServer,
    storage: PresignedStorage,
    tmp_path: Path,
) -> None:
    server.faults[f"GET {DOCUMENT}"] = list(faults)
    path = tmp_path / "d.pdf"
    if reason is None:
        storage.download(server.url(DOCUMENT), path, MAX_BYTES)
        assert path.read_bytes() == CONTENT
    else:
        with pytest.raises(AnalysisError) as error:
            storage.download(server.url(DOCUMENT), path, MAX_BYTES)
        assert error.value.reason == reason
        assert_secretive(error.value)
    assert server.requests == [f"GET {DOCUMENT}"] * requests


def test_a_document_that_is_too_large_is_not_fetched(
    server: StorageServer, storage: PresignedStorage, tmp_path: Path
) -> None:
    with pytest.raises(AnalysisError) as error:
        storage.download(server.url(DOCUMENT), tmp_path / "d.pdf", len(CONTENT) - 1)
    assert error.value.reason == Reason.DOCUMENT_TOO_LARGE
    assert not (tmp_path / "d.pdf").exists()


def test_report_is_stored_once(server: StorageServer, storage: PresignedStorage) -> None:
    url = server.url(REPORT)
    assert storage.get(url) is None
    assert storage.put_report(url, b"first", in_seconds(60))
    assert not storage.put_report(url, b"second", in_seconds(60))
    assert storage.get(url) == b"first"


def test_a_report_is_stored_when_the_storage_is_back(storage: PresignedStorage) -> None:
    with StorageServer() as before:
        url = before.url(REPORT)
    stored = []
    waiting = threading.Thread(target=lambda: stored.append(storage.put_report(url, b"report", in_seconds(60))))
    waiting.start()
    time.sleep(0.3)  # some thirty pauses; anything else is tried three times
    with StorageServer(before.port) as after:
        waiting.join()
        assert stored == [True]
        assert after.objects == {REPORT: b"report"}


@pytest.mark.parametrize(
    ("fault", "timeout_seconds", "least_tries"),
    [
        pytest.param(503, 1, 3, id="it says that it is busy"),
        pytest.param("stall", 1, 2, id="it says nothing"),
        pytest.param("stall", 60, 1, id="it says nothing for longer than there is time"),
    ],
)
def test_what_was_paid_for_is_given_up_before_the_deadline(
    fault: Fault, timeout_seconds: float, least_tries: int, server: StorageServer
) -> None:
    url = server.url(REPORT)
    server.faults[f"PUT {REPORT}"] = [fault] * 10
    with PresignedStorage(pauses_seconds=(0.05, 4.0), timeout_seconds=timeout_seconds) as storage:
        assert storage.get(url) is None
        deadline = in_seconds(3.5)
        with pytest.raises(AnalysisError) as error:
            storage.put_report(url, b"report", deadline)
    assert error.value.reason == Reason.STORAGE_UNAVAILABLE
    assert server.requests.count(f"PUT {REPORT}") >= least_tries
    assert datetime.now(UTC) < deadline - timedelta(seconds=1), "then the container ends itself: DeadlineExceeded"


@pytest.mark.parametrize("fault", [403, "no bucket"])
def test_a_report_that_is_refused_is_not_tried_again(
    fault: Fault, server: StorageServer, storage: PresignedStorage
) -> None:
    server.faults[f"PUT {REPORT}"] = [fault]
    with pytest.raises(AnalysisError) as error:
        storage.put_report(server.url(REPORT), b"report", in_seconds(60))
    assert error.value.reason == Reason.STORAGE_UNAVAILABLE
    assert server.requests == [f"PUT {REPORT}"]


CHECKPOINT = "reports/team-a/uid/1.checkpoint.json"


def test_a_checkpoint_is_replaced_and_removed(server: StorageServer, storage: PresignedStorage) -> None:
    url = server.url(CHECKPOINT)
    storage.replace(url, b"one window")
    storage.replace(url, b"two windows")
    assert storage.get(url) == b"two windows"
    storage.remove(url)
    assert storage.get(url) is None
    storage.remove(url)  # as it says: it is not there


@pytest.mark.parametrize(
    ("method", "faults", "tries"),
    [
        pytest.param("PUT", [503], 2, id="a checkpoint is stored at the second try"),
        pytest.param("PUT", [503, 503], 2, id="and not at a third: the work is more urgent"),
        pytest.param("PUT", [403], 1, id="not allowed"),
        pytest.param("DELETE", [503], 1, id="removing is tried once"),
        pytest.param("DELETE", [403], 1, id="the account may not delete"),
    ],
)
def test_a_checkpoint_is_worth_few_tries(
    method: str, faults: list[Fault], tries: int, server: StorageServer, storage: PresignedStorage
) -> None:
    server.faults[f"{method} {CHECKPOINT}"] = list(faults)
    url = server.url(CHECKPOINT)
    try_it = (lambda: storage.replace(url, b"data")) if method == "PUT" else (lambda: storage.remove(url))
    if len(faults) < tries:
        try_it()
    else:
        with pytest.raises(AnalysisError) as error:
            try_it()
        assert_secretive(error.value)
    assert server.requests == [f"{method} {CHECKPOINT}"] * tries


def test_a_missing_bucket_is_no_missing_report(server: StorageServer, storage: PresignedStorage) -> None:
    server.faults[f"GET {REPORT}"] = ["no bucket"]
    with pytest.raises(AnalysisError, match="bucket does not exist"):
        storage.get(server.url(REPORT))


def test_a_report_whose_receipt_is_lost_is_found_again(server: StorageServer, storage: PresignedStorage) -> None:
    server.faults[f"PUT {REPORT}"] = ["lost"]
    assert not storage.put_report(server.url(REPORT), b"report", in_seconds(60))
    assert storage.get(server.url(REPORT)) == b"report"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param(
            "http://127.0.0.1:1/x?X-Amz-Signature=5ec2e7f1a6b0", Reason.STORAGE_UNAVAILABLE, id="nobody there"
        ),
        pytest.param("ftp://host/x?X-Amz-Signature=5ec2e7f1a6b0", Reason.INTERNAL_ERROR, id="another protocol"),
        pytest.param("5ec2e7f1a6b0", Reason.INTERNAL_ERROR, id="no URL"),
        pytest.param("http://5ec2e7f1a6b0:port/x", Reason.INTERNAL_ERROR, id="a broken URL"),
    ],
)
def test_bad_urls(url: str, reason: Reason, storage: PresignedStorage) -> None:
    with pytest.raises(AnalysisError) as error:
        storage.get(url)
    assert error.value.reason == reason
    assert_secretive(error.value)


def assert_secretive(error: BaseException) -> None:
    """Neither it nor what it came from says the signature (a cause that is not shown is still a cause)."""
    chain: BaseException | None = error
    while chain is not None:
        assert SIGNATURE not in str(chain)
        chain = chain.__cause__
    assert error.__cause__ is not None or error.__suppress_context__ or error.__context__ is None
