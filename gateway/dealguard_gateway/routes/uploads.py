"""`POST /contracts`: a PDF comes, is stored as it comes, and becomes an analysis.

Who calls and what they may is settled before anything of the body is read; the options before anything of the file.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from dealguard_gateway import logs
from dealguard_gateway.access.callers import Caller
from dealguard_gateway.contracts import contract_id
from dealguard_gateway.kubernetes.store import Entry
from dealguard_gateway.model import POLL_SECONDS, Contract
from dealguard_gateway.problems import InvalidProblem
from dealguard_gateway.routes.answers import contract_answer, problem_responses
from dealguard_gateway.routes.contracts import check_organization
from dealguard_gateway.routes.lookup import caller_of, require, services_of
from dealguard_gateway.routes.upload_body import body_of, check_announced_size
from dealguard_gateway.services import Services
from dealguard_gateway.storage.multipart import MAX_FIELD_BYTES, Form
from dealguard_gateway.submission import Submission, Submitter, options_from

router = APIRouter(tags=["contracts"])

_MAX_KEY_CHARACTERS = 200
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "organization": {"type": "string", "description": "As the query parameter, which has the advantage that "
                         "leave is asked for before anything is sent.", "maxLength": 63},
        "engine": {"type": "string", "enum": ["auto", "claude", "rules"], "default": "auto"},
        "language": {"type": "string", "enum": ["auto", "de", "en"], "default": "auto"},
        "perspective": {"type": "string", "maxLength": 120, "description": "Whose interests count, by role or name."},
        "maxCostUSD": {"type": "string", "pattern": r"^\d{1,6}(\.\d{1,4})?$", "examples": ["0.50"]},
        "file": {"type": "string", "format": "binary", "description": "The PDF, as the last part."},
    },
}  # fmt: skip
_HEADERS = {"Location": {"description": "The path of the contract.", "schema": {"type": "string"}}}


@router.post(
    "/contracts",
    operation_id="uploadContract",
    summary="Upload a PDF and have it analysed",
    description=f"The file comes last, after the fields (each at most {MAX_FIELD_BYTES} bytes). The same bytes with "
    "the same options in the same organization are the same contract: answered with 200, without a second analysis. "
    "With an `Idempotency-Key`, the key decides instead.",
    status_code=202,
    response_model=Contract,
    responses={
        200: {"model": Contract, "description": "It was there already.", "headers": _HEADERS},
        202: {"description": "Accepted: `Location` says where to look, `Retry-After` when.", "headers": _HEADERS},
        **problem_responses(400, 403, 404, 408, 409, 413, 415),
    },
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
)
async def upload_contract(
    request: Request,
    organization: Annotated[str | None, Query(description="The Kubernetes namespace.", examples=["acme"])] = None,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Any 1 to 200 printable characters: a repeated request with the same key makes nothing new.",
            # For readers of the API alone: who is nobody is told that first.
            json_schema_extra={"minLength": 1, "maxLength": _MAX_KEY_CHARACTERS, "pattern": "^[ -~]+$"},
        ),
    ] = None,
) -> Response:
    """Take a PDF."""
    services = services_of(request)
    caller = await caller_of(request)
    if organization is not None:
        await _check_leave(request, caller, organization)
    services.limits.take_upload(caller)
    _check_key(idempotency_key)
    settings = services.settings
    check_announced_size(request, settings.max_pdf_bytes)
    body = body_of(request, idle_seconds=settings.upload_idle_seconds, max_pdf_bytes=settings.max_pdf_bytes)
    form = Form(request.headers.get("content-type", ""), body)
    async with services.documents.slots.one(caller.username):
        with services.metrics.uploads.track_inprogress():
            submission = await _begin(request, caller, form, organization, idempotency_key)
            stored = await services.documents.put_stream(submission.document_key, form.file(), settings.max_pdf_bytes)
    services.metrics.uploaded_bytes.inc(stored.size_bytes)
    submitted = await Submitter(services.kubernetes, services.documents).submit(submission, caller, stored)
    entry = services.store.put(submitted.raw)
    logs.about(uid=entry.uid, namespace=entry.namespace, name=entry.name)
    return await _answer(request, caller, entry, is_new=submitted.is_new)


async def _begin(
    request: Request, caller: Caller, form: Form, organization: str | None, idempotency_key: str | None
) -> Submission:
    """What is asked for, read up to the file, and permitted."""
    fields = await form.fields()
    named = fields.pop("organization", "").strip() or None
    if organization is None:
        organization = named or await only_organization(services_of(request), caller)
        await _check_leave(request, caller, organization)
    elif named not in (None, organization):
        raise InvalidProblem(
            "organization-contradicted", "The form names another organization than the query. Name it once."
        )
    return Submission.new(organization, options_from(fields), file_name=form.file_name, idempotency_key=idempotency_key)


async def _check_leave(request: Request, caller: Caller, organization: str) -> None:
    check_organization(organization)
    await require(request, caller, "create", organization)
    if not services_of(request).store.serves(organization):
        raise InvalidProblem(
            "organization-not-served",
            f"This installation does not serve the organization {organization}. Use one of GET /organizations.",
        )


async def only_organization(services: Services, caller: Caller) -> str:
    """The organization of a caller who has exactly one, of those that GET /organizations would offer.

    Raises:
        InvalidProblem: they have none, or several.
    """
    own = {caller.own_namespace} if caller.own_namespace else set()
    named = {*services.settings.namespaces, *services.settings.organizations}
    candidates = sorted(filter(services.store.serves, services.store.namespaces() | named | own))
    having = [namespace for namespace in candidates if await services.access.may(caller, "create", namespace)]
    if len(having) != 1:
        raise InvalidProblem(
            "organization-missing",
            "Say in which organization: POST /contracts?organization=… with one of GET /organizations.",
        )
    return having[0]


def _check_key(key: str | None) -> None:
    if key is not None and not (1 <= len(key) <= _MAX_KEY_CHARACTERS and key.isascii() and key.isprintable()):
        raise InvalidProblem(
            "invalid-idempotency-key",
            f"An Idempotency-Key has 1 to {_MAX_KEY_CHARACTERS} printable ASCII characters. Use a UUID.",
        )


async def _answer(request: Request, caller: Caller, entry: Entry, *, is_new: bool) -> Response:
    id_ = contract_id(entry.namespace, entry.name)
    headers = {"location": f"/contracts/{id_}"}
    if is_new:
        store = services_of(request).store
        return contract_answer(store, entry, status=202, headers={**headers, "retry-after": str(POLL_SECONDS)})
    # Somebody else's upload of the same bytes may be seen by who may see contracts there.
    if not await services_of(request).access.may(caller, "get", entry.namespace, entry.name):
        raise InvalidProblem(
            "contract-exists",
            "The same document was uploaded already, by somebody whose contracts you may not see. Ask them, or the "
            "organization's administrator for the right.",
            status=409,
        )
    # Not 304: who uploads has nothing of it yet.
    return Response(entry.body, status_code=200, headers={**headers, "ETag": entry.etag}, media_type="application/json")
