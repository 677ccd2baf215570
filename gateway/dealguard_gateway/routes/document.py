"""`GET /contracts/{id}/document`: the PDF as it was uploaded, whole or in ranges, passed on as it comes."""

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from dealguard_api import names
from dealguard_api.untrusted import mapping_in, text_in
from dealguard_gateway.contracts import file_name_of
from dealguard_gateway.kubernetes.store import Entry
from dealguard_gateway.problems import InvalidProblem, NotFoundProblem
from dealguard_gateway.routes.answers import matches, problem_responses
from dealguard_gateway.routes.contracts import ContractId
from dealguard_gateway.routes.disposition import content_disposition
from dealguard_gateway.routes.lookup import entry_for, services_of
from dealguard_gateway.routes.ranges import ByteRange, UnsatisfiableError, range_of
from dealguard_gateway.storage.documents import ObjectStream, StoredObject
from dealguard_gateway.storage.s3 import RefusedError

router = APIRouter(tags=["contracts"])

_PDF = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}


@router.get(
    "/contracts/{id}/document",
    operation_id="getDocument",
    summary="The PDF",
    description="With single byte ranges (`Range`, `If-Range`) and `ETag`.",
    response_class=Response,
    responses={
        200: {"content": _PDF, "description": "The whole file."},
        206: {"content": _PDF, "description": "The range that was asked for."},
        304: {"description": "As it was."},
        **problem_responses(404),
        416: {**problem_responses(413)[413], "description": "The range begins behind the file's end."},
    },
)
async def get_document(request: Request, id: ContractId) -> Response:  # noqa: A002
    """The PDF of a contract."""
    _, entry = await entry_for(request, id)
    documents = services_of(request).documents
    key = document_key(entry)
    found = await documents.find(key) if key else None
    if found is None:
        raise _not_found()
    headers = {
        "ETag": found.etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization, Cookie",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": content_disposition(file_name_of(entry.raw), f"{entry.name}.pdf", suffix=".pdf"),
    }
    if matches(request.headers.get("if-none-match"), found.etag):
        return Response(status_code=304, headers=headers)
    asked = _asked_range(request, found)
    range_ = asked or ByteRange(0, found.size_bytes - 1)
    headers["Content-Length"] = str(range_.end - range_.start + 1)
    if asked:
        headers["Content-Range"] = f"bytes {range_.start}-{range_.end}/{found.size_bytes}"
    if not found.size_bytes:  # stored by somebody else: nothing to pass on
        return Response(status_code=200, headers=headers, media_type="application/pdf")
    try:
        stream = await documents.get_range(found, range_.start, range_.end).__aenter__()
    except RefusedError:
        raise _not_found() from None
    return _Passed(stream, 206 if asked else 200, headers)


def document_key(entry: Entry) -> str | None:
    """Where the document is; None where the resource names none that its namespace may read."""
    key = text_in(mapping_in(mapping_in(entry.raw, "spec"), "document"), "key")
    return key if names.document_key_violation(key, entry.namespace) is None else None


class _Passed(StreamingResponse):
    """What the storage sends, sent on; closed however it ends."""

    def __init__(self, stream: ObjectStream, status: int, headers: dict[str, str]) -> None:
        super().__init__(aiter(stream), status_code=status, headers=headers, media_type="application/pdf")
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._stream.__aexit__(None, None, None)


def _asked_range(request: Request, found: StoredObject) -> ByteRange | None:
    try:
        return range_of(request, found.size_bytes, found.etag)
    except UnsatisfiableError:
        raise InvalidProblem(
            "range-not-satisfiable",
            f"The file has {found.size_bytes} bytes. Ask for a range within.",
            status=416,
            headers={"Content-Range": f"bytes */{found.size_bytes}"},
        ) from None


def _not_found() -> NotFoundProblem:
    return NotFoundProblem(
        "document-not-found",
        "The document is not in the object storage any more. Upload the PDF again: the contract then has it back.",
    )
