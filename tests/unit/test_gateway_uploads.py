"""What an upload says, and how it is understood: forms, names, options, ranges."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from starlette.requests import Request

from dealguard_api import names
from dealguard_gateway.access.callers import Caller
from dealguard_gateway.erasure import plan_for, told
from dealguard_gateway.kubernetes.store import Entry, entry_of
from dealguard_gateway.problems import Problem
from dealguard_gateway.routes.control import cancelling, rerunning
from dealguard_gateway.routes.disposition import content_disposition
from dealguard_gateway.routes.ranges import ByteRange, UnsatisfiableError, range_of
from dealguard_gateway.routes.report import accepted_form
from dealguard_gateway.routes.upload_body import body_of
from dealguard_gateway.routes.uploads import only_organization
from dealguard_gateway.storage.multipart import Form, shown_file_name
from dealguard_gateway.storage.slots import Slots
from dealguard_gateway.submission import Submission, options_from
from tests.unit.gateway_fakes import fake_gateway

FORM = (
    b'--b\r\nContent-Disposition: form-data; name="engine"\r\n\r\nrules\r\n'
    b"--b\r\ncontent-disposition: form-data; name=perspective\r\nContent-Type: text/plain\r\n\r\nK\xc3\xa4ufer\r\n"
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="Vertr\xc3\xa4ge %22alt%22.pdf"\r\n'
    b"Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n--b--\r\nepilogue"
)
CONTENT_TYPE = 'multipart/form-data; charset=utf-8; boundary="b"'


async def pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.parametrize("size", [1, 2, 7, 64, 10_000])
async def test_a_form_reads_the_same_however_it_is_cut(size: int) -> None:
    form = Form(CONTENT_TYPE, pieces(FORM, size))
    assert await form.fields() == {"engine": "rules", "perspective": "Käufer"}
    assert form.file_name == 'Verträge "alt".pdf'
    assert b"".join([chunk async for chunk in form.file()]) == b"%PDF-1.7"


@pytest.mark.parametrize("size", [1, 3, 64, 10_000])
async def test_a_file_with_line_ends_and_hyphens_is_not_cut(size: int) -> None:
    content = b"%PDF-1.7\r\n-\r\n--\r\n--a\r\n\r\n--"
    body = FORM[: FORM.index(b"%PDF")] + content + b"\r\n--b--\r\n"
    form = Form(CONTENT_TYPE, pieces(body, size))
    await form.fields()
    assert b"".join([chunk async for chunk in form.file()]) == content


@pytest.mark.parametrize(
    ("why", "name", "shown"),
    [
        ("as it is", "lease.pdf", "lease.pdf"),
        ("a path of Windows", r"C:\contracts\lease.pdf", "lease.pdf"),
        ("a path that leads out", "../../etc/passwd", "passwd"),
        ("quotation marks as browsers write them", "%22x%22.pdf", '"x".pdf'),
        ("line ends, real and written", "a\r\nb%0D%0Ac.pdf", "a b c.pdf"),
        ("a right-to-left mark that hides the ending", "x\u202efdp.exe", "x fdp.exe"),
        ("markup is words; the page escapes it", "<img src=x>.pdf", "<img src=x>.pdf"),
        ("nothing", "", None),
        ("nothing that can be seen", "\u200b", None),
        ("none", None, None),
        ("too long, with its ending", "x" * 300 + ".pdf", "x" * 195 + "….pdf"),
    ],
)
def test_file_names(why: str, name: str | None, shown: str | None) -> None:
    assert shown_file_name(name) == shown, why


@pytest.mark.parametrize(
    ("why", "name", "expected"),
    [
        ("plain", "lease.pdf", 'inline; filename="lease.pdf"'),
        ("an umlaut", "Käufer.pdf", "inline; filename=\"Kaufer.pdf\"; filename*=UTF-8''K%C3%A4ufer.pdf"),
        ("quotes and a line end", 'a"\r\nSet-Cookie: x.pdf', 'inline; filename="a_ Set-Cookie_ x.pdf"'),
        ("a path", "../../x.pdf", 'inline; filename="_.._x.pdf"'),
        ("nothing of ASCII", "契約.pdf", "inline; filename=\"pdf\"; filename*=UTF-8''%E5%A5%91%E7%B4%84.pdf"),
        ("another ending", "lease.exe", 'inline; filename="lease.exe.pdf"'),
        ("none", None, 'inline; filename="c.pdf"'),
        ("dots", "...", 'inline; filename="c.pdf"'),
    ],
)
def test_content_disposition(why: str, name: str | None, expected: str) -> None:
    assert content_disposition(name, "c.pdf", suffix=".pdf") == expected, why


def request_with(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": raw})


@pytest.mark.parametrize(
    ("why", "headers", "expected"),
    [
        ("none asked for", {}, None),
        ("the beginning", {"range": "bytes=0-9"}, ByteRange(0, 9)),
        ("to the end", {"range": "bytes=90-"}, ByteRange(90, 99)),
        ("beyond the end", {"range": "bytes=90-1000"}, ByteRange(90, 99)),
        ("the last ones", {"range": "bytes=-10"}, ByteRange(90, 99)),
        ("more of the last ones than there are", {"range": "bytes=-1000"}, ByteRange(0, 99)),
        ("of the version that the client has", {"range": "bytes=0-9", "if_range": '"e"'}, ByteRange(0, 9)),
        ("of another version", {"range": "bytes=0-9", "if_range": '"f"'}, None),
        ("of a time", {"range": "bytes=0-9", "if_range": "Sat, 29 Oct 1994 19:43:31 GMT"}, None),
        ("several: all of it", {"range": "bytes=0-9,20-29"}, None),
        ("backwards", {"range": "bytes=9-0"}, None),
        ("another unit", {"range": "pages=1-2"}, None),
        ("nothing", {"range": "bytes=-"}, None),
        ("a number of a thousand digits", {"range": "bytes=" + "9" * 1000 + "-"}, None),
        ("behind the end", {"range": "bytes=100-"}, UnsatisfiableError),
        ("the last none", {"range": "bytes=-0"}, UnsatisfiableError),
    ],
)
def test_ranges(why: str, headers: dict[str, str], expected: ByteRange | type[Exception] | None) -> None:
    request = request_with(**headers)
    if isinstance(expected, type):
        with pytest.raises(expected):
            range_of(request, 100, '"e"')
    else:
        assert range_of(request, 100, '"e"') == expected, why


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
        ("text/markdown", "markdown"),
        ("text/*;q=0.5, application/json;q=0.4", "markdown"),
        ("text/html;q=0.1, application/json", "json"),
        ("text/html;q=x", "json"),
        ("image/png", "json"),
    ],
)
def test_the_form_of_a_report_by_accept(accept: str, form: str) -> None:
    assert accepted_form(accept) == form


def test_options_are_the_specs_own() -> None:
    assert options_from({}) == {"engine": "auto", "language": "auto"}
    assert options_from({"engine": "", "perspective": "  ", "maxCostUSD": " 0.50 "}) == {
        "engine": "auto",
        "language": "auto",
        "maxCostUSD": "0.50",
    }
    with pytest.raises(Problem, match="Correct the field `engine`: it must be auto, claude or rules"):
        options_from({"engine": "Rules"})
    with pytest.raises(Problem, match="There is no field `maxcostusd`"):
        options_from({"maxcostusd": "1"})


def a_name(
    namespace: str = "acme", user: str = "ann", sha256: str = "a" * 64, key: str | None = None, **more: str
) -> str:
    submission = Submission.new(namespace, options_from(more), file_name=None, idempotency_key=key)
    return submission.name(user, sha256)


def test_what_makes_two_uploads_the_same() -> None:
    assert a_name() == a_name(user="bob"), "a colleague's upload of the same document is the same analysis"
    assert a_name() == a_name(engine="auto"), "what was left out is what it stands for"
    assert a_name(key="k") == a_name(key="k", sha256="b" * 64, language="de"), "the key decides alone"
    different = [
        a_name(),
        a_name("other"),
        a_name(sha256="b" * 64),
        a_name(engine="rules"),
        a_name(language="de"),
        a_name(perspective="auto"),
        a_name(maxCostUSD="1"),
        a_name(key="k"),
        a_name(key="l"),
        a_name(key="k", user="bob"),
        a_name("other", key="k"),
    ]
    assert len(set(different)) == len(different)
    assert all(name.startswith("contract-") and len(name) == 33 for name in different)


def entry(name: str = "one", uid: str = "uid-1", *, spec: dict[str, Any] | None = None, **status: Any) -> Entry:
    metadata = {"namespace": "acme", "name": name, "uid": uid, "resourceVersion": "1"}
    return entry_of(
        {
            "metadata": {**metadata, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"document": {"key": f"documents/acme/{name}.pdf"}, **(spec or {})},
            "status": status,
        }
    )


@pytest.mark.parametrize(
    ("why", "given", "cancelled", "rerun"),
    [
        ("new", entry(), {"cancel": True}, "not-finished"),
        ("at work", entry(phase="Processing"), {"cancel": True}, "not-finished"),
        ("cancelled, still at work", entry(phase="Processing", spec={"cancel": True}), None, "not-finished"),
        ("suspended", entry(phase="Pending", spec={"suspend": True}), {"cancel": True}, {"suspend": False}),
        ("done", entry(phase="Completed"), "already-finished",
         {"runToken": "run-2", "cancel": False, "suspend": False}),
        ("failed in its third run", entry(phase="Failed", run=3, runToken="x", spec={"runToken": "x"}),
         "already-finished", {"runToken": "run-4", "cancel": False, "suspend": False}),
        ("cancelled", entry(phase="Cancelled", run=1, spec={"cancel": True}), "already-finished",
         {"runToken": "run-2", "cancel": False, "suspend": False}),
        ("asked for again", entry(phase="Completed", run=1, spec={"runToken": "run-2"}), {"cancel": True},
         "not-finished"),
    ],
)  # fmt: skip
def test_cancelling_and_rerunning(
    why: str, given: Entry, cancelled: dict[str, Any] | str | None, rerun: dict[str, Any] | str
) -> None:
    for change, expected in ((cancelling, cancelled), (rerunning, rerun)):
        if isinstance(expected, str):
            with pytest.raises(Problem) as caught:
                change(given)
            assert (caught.value.word, caught.value.status) == (expected, 409), why
        else:
            assert change(given) == expected, why


def test_a_token_that_was_used_is_not_used_again() -> None:
    used = entry(phase="Completed", run=1, runToken="run-2", spec={"runToken": "run-2"})
    assert rerunning(used)["runToken"].startswith("run-2-")


def reported(key: str, *earlier: str) -> dict[str, Any]:
    return {"result": {"report": {"key": key}}, "runs": [{"report": {"key": each}} for each in earlier]}


OWN, EARLIER = names.report_key("acme", "uid-1", 2), names.report_key("acme", "uid-1", 1)
FOREIGN = names.report_key("acme", "uid-9", 1)
DOCUMENT = "documents/acme/one.pdf"
SAME_DOCUMENT = entry("two", "uid-2", spec={"document": {"key": DOCUMENT}})
ELSEWHERE = {"document": {"key": "documents/other/x.pdf"}}
FOR_TWO = ["reports acme.two"]
PLANS: list[tuple[str, Entry, Sequence[Entry], str | None, set[str], list[str]]] = [
    ("alone", entry(**reported(OWN)), [], DOCUMENT, {OWN}, []),
    ("itself among the others", entry(**reported(OWN)), [entry(**reported(OWN))], DOCUMENT, {OWN}, []),
    ("another of the same document", entry(), [SAME_DOCUMENT], None, set(), ["document acme.two"]),
    ("reused", entry(**reported(OWN)), [entry("two", "uid-2", **reported(OWN))], DOCUMENT, set(), FOR_TWO),
    ("an earlier run reused", entry(), [entry("two", "uid-2", **reported(EARLIER))], DOCUMENT, set(), FOR_TWO),
    ("a living one's", entry(**reported(FOREIGN)), [entry("nine", "uid-9")], DOCUMENT, set(), ["reports acme.nine"]),
    ("reuses one's that is gone", entry(**reported(FOREIGN)), [], DOCUMENT, {FOREIGN}, []),
    ("names another namespace's report", entry(**reported("reports/other/uid-1/1.json")), [], DOCUMENT, set(), []),
    ("leads out of the folder", entry(**reported("reports/acme/../x.json")), [], DOCUMENT, set(), []),
    ("calls a document its report", entry(**reported("documents/acme/two.pdf")), [], DOCUMENT, set(), []),
    ("names another namespace's document", entry(spec=ELSEWHERE), [], None, set(), []),
]


@pytest.mark.parametrize(("why", "given", "others", "document", "reports", "kept"), PLANS, ids=[p[0] for p in PLANS])
def test_what_is_erased_and_what_is_kept(
    why: str, given: Entry, others: Sequence[Entry], document: str | None, reports: set[str], kept: list[str]
) -> None:
    plan = plan_for(given, others)
    assert (plan.document, set(plan.reports)) == (document, reports)
    assert plan.folder == "reports/acme/uid-1/"
    assert [f"{each.what} {each.needed_by}" for each in plan.kept] == kept


async def test_an_analysis_that_the_caller_may_not_see_is_not_named() -> None:
    gateway = fake_gateway(rights={("other", "get", "acme", "three"), ("own", "get", "acme")})
    access = gateway.app.state.services.access
    plan = plan_for(entry(), [SAME_DOCUMENT, entry("three", "uid-3", **reported(EARLIER))])
    for who, named in (("own", [True, True]), ("other", [False, True])):
        sentences = [await told(each, Caller(who), access) for each in plan.kept]
        assert [kept.needed_by in sentence for kept, sentence in zip(plan.kept, sentences, strict=True)] == named
        assert ["another analysis" in sentence for sentence in sentences] == [not each for each in named]


async def test_the_one_organization_may_be_one_that_the_installation_names() -> None:
    caller = Caller("own")
    for settings, expected in (({}, None), ({"organizations": ("acme", "globex")}, "acme"),
                               ({"organizations": ("acme",), "namespaces": ("globex",)}, None)):  # fmt: skip
        services = fake_gateway(**settings).app.state.services
        if expected:
            assert await only_organization(services, caller) == expected
        else:
            with pytest.raises(Problem, match="which organization"):
                await only_organization(services, caller)


async def test_slots_are_taken_in_order_and_not_waited_for_without_end() -> None:
    slots = Slots(1, wait_seconds=0.05, max_waiting=1)
    order: list[int] = []

    async def work(number: int) -> None:
        async with slots.one("ann"):
            order.append(number)

    async with slots.one("ann"):
        first = asyncio.create_task(work(1))
        await asyncio.sleep(0)
        with pytest.raises(Problem) as crowded:
            await work(2)
        with pytest.raises(Problem) as late:
            await first
    for caught in (crowded, late):
        assert (caught.value.word, caught.value.headers["Retry-After"]) == ("uploads-busy", "10")
    await asyncio.gather(work(3))
    assert order == [3]


async def test_one_user_cannot_take_all_places() -> None:
    slots = Slots(4, wait_seconds=0.05)
    async with slots.one("ann"), slots.one("ann"):
        with pytest.raises(Problem):
            async with slots.one("ann"):
                pass
        async with slots.one("bob"), slots.one("bob"):
            with pytest.raises(Problem):
                async with slots.one("eve"):
                    pass
    async with slots.one("ann"), slots.one("ann"), slots.one("eve"), slots.one("bob"):
        pass


class Client:
    """What comes over the connection, by a clock of the test's."""

    def __init__(self, *pieces_: tuple[float, bytes]) -> None:
        self._pieces = list(pieces_)
        self._now = 0.0

    def clock(self) -> float:
        return self._now

    async def receive(self) -> dict[str, Any]:
        if not self._pieces:
            return {"type": "http.disconnect"}
        seconds, body = self._pieces.pop(0)
        self._now += seconds
        return {"type": "http.request", "body": body, "more_body": True}


@pytest.mark.parametrize(
    ("why", "client", "word", "taken"),
    [
        ("it goes away", Client((0, b"x" * 10)), "upload-incomplete", 10),
        ("it drips", Client(*[(5, b"x")] * 20), "upload-too-slow", 6),
        ("it is slow, but comes", Client(*[(5, b"x" * 40_000)] * 12), "upload-incomplete", 480_000),
        ("it is slow for minutes", Client(*[(5, b"x" * 40_000)] * 20), "upload-too-slow", 520_000),
        ("it brings enough for minutes", Client(*[(5, b"x" * 330_000)] * 100), "document-too-large", 30_030_000),
        ("it sends more than any upload", Client(*[(0, b"x" * 100_000)] * 20), "document-too-large", 1_100_000),
    ],
)
async def test_clients_that_are_not_waited_for(why: str, client: Client, word: str, taken: int) -> None:
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": []}, client.receive)
    max_pdf_bytes = 30_000_000 if "minutes" in why else 1_000_000
    body = body_of(request, idle_seconds=1, max_pdf_bytes=max_pdf_bytes, clock=client.clock)
    size = 0
    with pytest.raises(Problem) as caught:
        async for chunk in body:
            size += len(chunk)
    assert (caught.value.word, size) == (word, taken), why
