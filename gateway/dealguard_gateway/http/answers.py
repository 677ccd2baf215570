"""Answers that middleware gives by itself, before any route."""

from starlette.requests import Request
from starlette.responses import Response

from dealguard_gateway.problems import MEDIA_TYPE, Problem


def problem_answer(problem: Problem) -> Response:
    """The answer that a problem is."""
    return Response(
        problem.body.model_dump_json(), status_code=problem.status, headers=problem.headers, media_type=MEDIA_TYPE
    )


def peer_address(request: Request) -> str:
    """The address that a request came from: the peer's, or what a trusted proxy says of it (uvicorn sees to that)."""
    return request.client.host if request.client else ""
