"""`GET /contracts/{id}/report`: what the analysis found, checked against the digest in the status before it is sent."""

import asyncio
import hashlib
from typing import Annotated, Literal

import pydantic
from fastapi import APIRouter, Query, Request, Response

from dealguard_api import html, markdown, names
from dealguard_api.report import Report
from dealguard_api.untrusted import mapping_in, text_in
from dealguard_gateway.contracts import file_name_of
from dealguard_gateway.kubernetes.store import Entry
from dealguard_gateway.problems import NotFoundProblem, Problem
from dealguard_gateway.routes.answers import matches, problem_responses
from dealguard_gateway.routes.contracts import ContractId
from dealguard_gateway.routes.disposition import content_disposition
from dealguard_gateway.routes.lookup import entry_for, services_of

router = APIRouter(tags=["contracts"])

Format = Literal["json", "markdown", "html"]

# As the analyzer and the command line have it.
MAX_REPORT_BYTES = 64 * 1024 * 1024
_MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "markdown": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
}
_SUFFIXES: dict[Format, str] = {"json": ".report.json", "markdown": ".report.md", "html": ".report.html"}
# Nothing in it runs or loads, whatever a contract or a model wrote; `sandbox` also takes it its origin.
_HTML_POLICY = f"{html.CONTENT_SECURITY_POLICY}; frame-ancestors 'none'; sandbox"


@router.get(
    "/contracts/{id}/report",
    operation_id="getReport",
    summary="The report",
    description="As JSON, Markdown or HTML: by `format`, else by `Accept`. `language` is that of the headings; by "
    "default the contract's.",
    response_class=Response,
    responses={
        200: {
            "description": "The report.",
            "content": {
                "application/json": {"schema": {"type": "object", "description": "As docs/report.schema.json."}},
                "text/markdown": {"schema": {"type": "string"}},
                "text/html": {"schema": {"type": "string"}},
            },
        },
        304: {"description": "As it was."},
        **problem_responses(404),
    },
)
async def get_report(
    request: Request,
    id: ContractId,  # noqa: A002
    format: Annotated[Format | None, Query()] = None,  # noqa: A002
    language: Annotated[Literal["de", "en"] | None, Query()] = None,
) -> Response:
    """The report of a contract."""
    _, entry = await entry_for(request, id)
    key, sha256 = _reference(entry)
    wanted: Format = format or accepted_form(request.headers.get("accept", ""))
    etag = f'"{sha256[:32]}-{wanted}-{language or "auto"}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Vary": "Accept, Authorization, Cookie",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": content_disposition(file_name_of(entry.raw), entry.name, suffix=_SUFFIXES[wanted]),
    }
    if matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    content = await services_of(request).documents.read(key, MAX_REPORT_BYTES)
    if content is None or hashlib.sha256(content).hexdigest() != sha256:
        raise _gone("has gone from the object storage" if content is None else "is not the one that was made")
    if wanted == "html":
        headers["Content-Security-Policy"] = _HTML_POLICY
    if wanted != "json":
        content = await asyncio.to_thread(_rendered, content, wanted, language, file_name_of(entry.raw))
    return Response(content, headers=headers, media_type=_MEDIA_TYPES[wanted])


def _reference(entry: Entry) -> tuple[str, str]:
    """Key and digest of the report.

    Raises:
        NotFoundProblem: there is none, or none that this namespace may read.
    """
    reference = mapping_in(mapping_in(mapping_in(entry.raw, "status"), "result"), "report")
    key, sha256 = text_in(reference, "key"), text_in(reference, "sha256")
    parts = key.split("/")
    is_ours = key.startswith(names.report_prefix(entry.namespace)) and not {"", ".", ".."} & set(parts)
    if entry.contract.summary is None or not key:
        raise NotFoundProblem(
            "report-not-ready",
            f"There is no report: the contract is {entry.contract.status}. GET /contracts/{{id}} says what it waits "
            "for, or why it failed.",
        )
    if not is_ours:
        raise _gone("lies outside the organization's folder")
    return key, sha256


def accepted_form(accept: str) -> Format:
    """The form that a client likes best; JSON where it does not say."""
    best: tuple[float, Format] = (0.0, "json")
    for item in accept.split(","):
        media_type, *parameters = (part.strip().lower() for part in item.split(";"))
        form = _FORM_OF.get(media_type)
        quality = next((_number(each[2:]) for each in parameters if each.startswith("q=")), 1.0)
        if form is not None and quality > best[0]:
            best = (quality, form)
    return best[1]


_FORM_OF: dict[str, Format] = {
    "application/json": "json",
    "application/*": "json",
    "*/*": "json",
    "text/markdown": "markdown",
    "text/html": "html",
    "text/*": "markdown",
}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _rendered(content: bytes, wanted: Format, language: Literal["de", "en"] | None, file_name: str | None) -> bytes:
    try:
        report = Report.model_validate_json(content)
    except pydantic.ValidationError:
        raise Problem(
            "report-unreadable",
            "The report was written by another version. Ask for it as JSON (?format=json), or run the analysis again.",
            status=502,
        ) from None
    render = html.render if wanted == "html" else markdown.render
    return render(report, language, document_name=file_name).encode()


def _gone(what: str) -> NotFoundProblem:
    return NotFoundProblem(
        "report-not-found",
        f"The report {what}. Have it made again: POST /contracts/{{id}}/rerun.",
    )
