"""Answers that several routes give, and what OpenAPI says about them."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dealguard_gateway.contracts import FINISHED
from dealguard_gateway.kubernetes.store import AnalysisStore, Entry
from dealguard_gateway.model import POLL_SECONDS
from dealguard_gateway.problems import ProblemBody

# Beyond which the watch is taken for broken: an answer then says how old it may be, and `/readyz` fails.
STALE_SECONDS = 60.0

_POLL_SECONDS = str(POLL_SECONDS)
_PRIVATE = {"cache-control": "private, no-cache", "vary": "Authorization, Cookie"}
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


class PreparedAnswer(Response):
    """An answer whose headers are as they are sent: nothing is worked out.

    Args:
        status: the HTTP status.
        headers: all of them, names in lower case.
        body: the content.
    """

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        # Not the base's: it would take as long as all the rest of a poll.
        self.status_code = status
        self.raw_headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        self.body = body
        self.background = None


def contract_answer(
    store: AnalysisStore,
    entry: Entry,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    known: str | None = None,
) -> Response:
    """A contract as it stands, or 304 where the client has it already.

    Args:
        store: where the contract comes from.
        entry: the contract.
        status: of the answer that is not 304.
        headers: more headers, names in lower case.
        known: the request's `If-None-Match`, where that counts.
    """
    more = {**_PRIVATE, "etag": entry.etag}
    if entry.contract.status not in FINISHED:
        more["retry-after"] = _POLL_SECONDS
    add_staleness(store, more)
    if headers:
        more |= headers
    if known is not None and matches(known, entry.etag):
        return PreparedAnswer(304, more)
    more |= {"content-type": "application/json", "content-length": str(len(entry.body))}
    return PreparedAnswer(status, more, entry.body)


def json_answer(request: Request, body: bytes, etag: str) -> Response:
    """Prepared JSON, or 304 where the client has it already."""
    headers = {**_PRIVATE, "etag": etag}
    add_staleness(request.app.state.services.store, headers)
    if matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def add_staleness(store: AnalysisStore, headers: dict[str, str]) -> None:
    """Say how old the answer may be, where that is more than it should be."""
    age_seconds = store.age_seconds
    if age_seconds > STALE_SECONDS:
        headers["x-dealguard-stale-seconds"] = "unknown" if age_seconds == float("inf") else str(int(age_seconds))


def matches(known: str | None, etag: str) -> bool:
    """Whether a client that sends this `If-None-Match` has this version."""
    if known is None:
        return False
    return known in (etag, "*") or etag in (tag.strip().removeprefix("W/") for tag in known.split(","))
