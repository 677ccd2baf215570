"""Documents in a real object storage: streamed, read in ranges, and nothing left where something fails."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from dealguard_gateway.problems import Problem
from dealguard_gateway.settings import GatewaySettings
from dealguard_gateway.storage.documents import PART_BYTES, DocumentStorage
from dealguard_gateway.storage.s3 import RefusedError
from tests.object_storage import ObjectStorage, running_object_storage

KEY = "documents/acme/contract.pdf"
LIMIT = 3 * PART_BYTES
HEAD = b"%PDF-1.7\n"


@pytest.fixture(scope="module")
def minio() -> Iterator[ObjectStorage]:
    with running_object_storage() as storage:
        yield storage


@pytest.fixture
async def documents(minio: ObjectStorage) -> AsyncIterator[DocumentStorage]:
    documents = DocumentStorage(GatewaySettings.from_environment(minio.environment))
    yield documents
    await documents.close()
    for key in list(minio.keys()):
        minio.client.remove_object(minio.bucket, key)


async def pieces(content: bytes, size: int = 60_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def pdf(size_bytes: int) -> bytes:
    return HEAD + bytes(index * 7 % 251 for index in range(1000)) * (size_bytes // 1000 + 1)


@pytest.mark.parametrize(
    ("why", "size_bytes", "piece_bytes"),
    [
        ("less than one piece", len(HEAD), 60_000),
        ("byte by byte, so that the header comes in pieces", 1500, 1),
        ("one part to the byte", PART_BYTES, 60_000),
        ("one byte more", PART_BYTES + 1, 60_000),
        ("two parts to the byte", 2 * PART_BYTES, 60_000),
        ("two parts and something, in pieces larger than a part", 2 * PART_BYTES + 12_345, PART_BYTES + 77),
    ],
)
async def test_what_is_stored_is_what_came(
    why: str, size_bytes: int, piece_bytes: int, minio: ObjectStorage, documents: DocumentStorage
) -> None:
    content = pdf(size_bytes)[:size_bytes]
    stored = await documents.put_stream(KEY, pieces(content, piece_bytes), LIMIT)
    assert (stored.sha256, stored.size_bytes) == (hashlib.sha256(content).hexdigest(), size_bytes), why
    assert await documents.read(KEY, LIMIT) == content
    found = minio.client.stat_object(minio.bucket, KEY)
    assert found.content_type == "application/pdf"


@pytest.mark.parametrize(
    ("why", "content", "word", "status"),
    [
        ("nothing", b"", "document-empty", 422),
        ("a text", b"Dear Sir or Madam", "not-a-pdf", 422),
        ("the header after the first kilobyte", b" " * 1024 + HEAD, "not-a-pdf", 422),
        ("the header cut by the end of the first kilobyte", b" " * 1020 + HEAD, "not-a-pdf", 422),
        ("one byte too large", pdf(LIMIT)[: LIMIT + 1], "document-too-large", 413),
        ("far too large", pdf(2 * LIMIT), "document-too-large", 413),
    ],
)
async def test_what_is_not_taken_leaves_nothing(
    why: str, content: bytes, word: str, status: int, minio: ObjectStorage, documents: DocumentStorage
) -> None:
    with pytest.raises(Problem) as caught:
        await documents.put_stream(KEY, pieces(content), LIMIT)
    assert (caught.value.word, caught.value.status) == (word, status), why
    assert minio.keys() == []
    assert minio.unfinished() == []


async def test_a_header_after_junk_is_a_pdf_all_the_same(documents: DocumentStorage) -> None:
    content = b" " * (1024 - 5) + HEAD
    assert (await documents.put_stream(KEY, pieces(content, 100), LIMIT)).size_bytes == len(content)


class GoneError(Exception):
    """The client, in the middle."""


@pytest.mark.parametrize("parts", [0, 1, 2])
async def test_a_client_that_goes_away_leaves_nothing(
    parts: int, minio: ObjectStorage, documents: DocumentStorage
) -> None:
    async def cut() -> AsyncIterator[bytes]:
        async for piece in pieces(pdf(parts * PART_BYTES + 1000)):
            yield piece
        raise GoneError

    with pytest.raises(GoneError):
        await documents.put_stream(KEY, cut(), LIMIT)
    assert minio.keys() == []
    assert minio.unfinished() == []


async def test_a_cancelled_upload_leaves_nothing(minio: ObjectStorage, documents: DocumentStorage) -> None:
    has_parts = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        async for piece in pieces(pdf(2 * PART_BYTES)):
            yield piece
        has_parts.set()
        await asyncio.Event().wait()

    upload = asyncio.create_task(documents.put_stream(KEY, endless(), LIMIT))
    await has_parts.wait()
    assert minio.unfinished() != [], "there is something to take back"
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert minio.keys() == []
    assert minio.unfinished() == []


async def test_a_storage_that_goes_away_is_said_at_once_and_cleaned_when_it_is_back(
    minio: ObjectStorage, documents: DocumentStorage
) -> None:
    async def with_an_outage() -> AsyncIterator[bytes]:
        async for piece in pieces(pdf(PART_BYTES + 100_000)):
            yield piece
        minio.stop()
        async for piece in pieces(pdf(PART_BYTES)):
            yield piece

    try:
        with pytest.raises(Problem) as caught:
            async with asyncio.timeout(8):
                await documents.put_stream(KEY, with_an_outage(), LIMIT)
        assert (caught.value.word, caught.value.status) == ("storage-unavailable", 503)
        assert "Retry-After" in caught.value.headers
    finally:
        minio.start()
    assert minio.unfinished() != [], "it could not be taken back while the storage was away"
    await wait_until(lambda: minio.unfinished() == [])
    content = pdf(100)
    await documents.put_stream(KEY, pieces(content), LIMIT)
    assert await documents.read(KEY, LIMIT) == content


async def test_a_storage_that_hangs_is_away(minio: ObjectStorage, documents: DocumentStorage) -> None:
    minio.suspend()
    try:
        with pytest.raises(Problem) as caught:
            async with asyncio.timeout(12):
                await documents.put_stream(KEY, pieces(pdf(100)), LIMIT)
        assert caught.value.word == "storage-unavailable"
    finally:
        minio.resume()
    await wait_until(lambda: minio.keys() == [])


@pytest.mark.parametrize(
    ("why", "start", "end"),
    [
        ("the beginning", 0, 9),
        ("one byte", 5, 5),
        ("across a part's end", PART_BYTES - 10, PART_BYTES + 10),
        ("all", 0, PART_BYTES + 999),
    ],
)
async def test_ranges(why: str, start: int, end: int, documents: DocumentStorage) -> None:
    content = pdf(PART_BYTES + 1000)[: PART_BYTES + 1000]
    await documents.put_stream(KEY, pieces(content), LIMIT)
    found = await documents.find(KEY)
    assert found is not None
    async with documents.get_range(found, start, end) as stream:
        assert b"".join([chunk async for chunk in stream]) == content[start : end + 1], why


async def test_a_version_that_was_replaced_is_not_read(documents: DocumentStorage, minio: ObjectStorage) -> None:
    await documents.put_stream(KEY, pieces(pdf(10)), LIMIT)
    found = await documents.find(KEY)
    assert found is not None
    minio.put(KEY, b"another")
    with pytest.raises(RefusedError):
        async with documents.get_range(found, 0, 3):
            pass


async def test_finding_listing_copying_and_removing(documents: DocumentStorage, minio: ObjectStorage) -> None:
    odd = "documents/acme/Müller & Söhne (1) +%41~'\"<x>.pdf"
    keys = [f"documents/acme/{number:04}.pdf" for number in range(3)]
    for key in (*keys, odd, "documents/acme-2/other.pdf"):
        minio.put(key, key.encode())
    listed = await documents.list_keys("documents/acme/")
    assert sorted(item.key for item in listed) == sorted([*keys, odd])
    for item in listed:
        found = await documents.find(item.key)
        assert found is not None
        assert (found.etag, found.size_bytes) == (item.etag, item.size_bytes)
        assert found.modified_at == item.modified_at.replace(microsecond=0)
    await documents.copy(odd, "documents/acme/copy.pdf")
    assert await documents.read("documents/acme/copy.pdf", 1000) == odd.encode()
    assert await documents.read(odd, 10) is None, "larger than asked for"
    await documents.remove(odd)
    await documents.remove(odd)
    assert await documents.find(odd) is None
    assert await documents.read(odd, 1000) is None
    assert await documents.find("documents/acme/" + "x" * 2000) is None


async def test_a_bucket_that_is_not_there_is_the_installations_mistake(minio: ObjectStorage) -> None:
    settings = GatewaySettings.from_environment({**minio.environment, "DEALGUARD_S3_BUCKET": "another"})
    documents = DocumentStorage(settings)
    with pytest.raises(Problem, match="The bucket does not exist"):
        await documents.put_stream(KEY, pieces(pdf(100)), LIMIT)
    await documents.close()


async def test_wrong_credentials_are_the_installations_mistake(minio: ObjectStorage) -> None:
    settings = GatewaySettings.from_environment({**minio.environment, "DEALGUARD_S3_SECRET_KEY": "wrong"})
    documents = DocumentStorage(settings)
    with pytest.raises(Problem, match="its access key must be allowed") as caught:
        await documents.find(KEY)
    assert "127.0.0.1" not in caught.value.detail
    await documents.close()


async def wait_until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - the storage tells nobody
            await asyncio.sleep(0.1)
