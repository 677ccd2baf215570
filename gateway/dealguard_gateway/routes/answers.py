"""Answers that several routes give, and what OpenAPI says about them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dealguard_gateway.contracts import FINISHED
from dealguard_gateway.kubernetes.store import AnalysisStore, Entry
from dealguard_gateway.model import POLL_SECONDS
from dealguard_gateway.problems import ProblemBody

# Beyond which the watch is taken for broken: an answer then says how old it may be, and `/readyz` fails.
STALE_SECONDS = 60.0

_PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
MEANINGS = {
    "400": "The request cannot be read.",
    "401": "Nobody, or credentials that the cluster does not accept (any more).",
    "403": "The caller may see it, but not do this.",
    "404": "There is none, or the caller may not see it: no telling which.",
    "408": "The body came too slowly.",
    "409": "It makes no sense as things are now.",
    "413": "Larger than this installation allows.",
    "411": "The length has to be said.",
    "415": "Not a form that is understood here.",
    "416": "The document has no such range.",
    "422": "What was sent cannot be used as it is.",
    "429": "More than one user's share; Retry-After says when to come again.",
    "502": "The cluster or the storage answers what it should not.",
    "503": "The cluster or the storage does not answer; Retry-After says when to come again.",
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=`: these problems, and those that every request of a caller can meet."""
    return {
        status: {"model": ProblemBody, "description": MEANINGS[str(status)]}
        for status in sorted({401, 422, 429, 503, *statuses})
    }


def contract_answer(
    request: Request, entry: Entry, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A contract as it stands, or 304 where the client has it already."""
    more = dict(_PRIVATE) if headers is None else {**_PRIVATE, **headers}
    more["ETag"] = entry.etag
    if entry.contract.status not in FINISHED:
        more["Retry-After"] = str(POLL_SECONDS)
    stale_seconds(request.app.state.services.store, more)
    if status == 200 and matches(request, entry.etag):
        return Response(status_code=304, headers=more)
    return Response(entry.body, status_code=status, headers=more, media_type="application/json")


def json_answer(request: Request, body: bytes, etag: str) -> Response:
    """Prepared JSON, or 304 where the client has it already."""
    headers = {**_PRIVATE, "ETag": etag}
    stale_seconds(request.app.state.services.store, headers)
    if matches(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def stale_seconds(store: AnalysisStore, headers: dict[str, str]) -> None:
    """Say how old the answer may be, where that is more than it should be."""
    age_seconds = store.age_seconds
    if age_seconds > STALE_SECONDS:
        headers["X-DealGuard-Stale-Seconds"] = "unknown" if age_seconds == float("inf") else str(int(age_seconds))


def matches(request: Request, etag: str) -> bool:
    """Whether the client has this version."""
    known = request.headers.get("if-none-match")
    if known is None:
        return False
    return known in (etag, "*") or etag in (tag.strip().removeprefix("W/") for tag in known.split(","))
