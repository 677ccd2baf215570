"""`GET /openapi.json`: what the API promises, made from the routes themselves."""

import json
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import Response

from dealguard_gateway.problems import MEDIA_TYPE, ProblemBody
from dealguard_gateway.routes.answers import MEANINGS

router = APIRouter(tags=["about"])

_DESCRIPTION = """\
Upload a contract (PDF), ask for its state every three seconds, read the report.

Who may do what is decided by the cluster's own access rules (RBAC) for the caller's credentials: a bearer token of the
cluster, or the session cookie of a browser. An organization is a namespace. A contract that is not there and one that
the caller may not see get the same answer, 404.

Errors are `application/problem+json` (RFC 9457); `type` is for programs, `detail` says what to do next.
"""
_TAGS = [
    {"name": "contracts", "description": "Contracts and their analyses."},
    {"name": "session", "description": "Who the caller is; logging in and out."},
    {"name": "kubernetes", "description": "The resource itself, for clients that speak Kubernetes."},
    {"name": "about", "description": "This document."},
]
_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token that the cluster accepts: a service account's, or of an issuer that it trusts.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-dealguard",
        "description": "A browser's session. Requests that change something also need `X-Requested-With: dealguard`.",
    },
}
_METHODS = frozenset({"get", "post", "delete"})
# What guards every request that changes something: where it comes from, and the size and the pace of its body.
_OF_MIDDLEWARE = (403, 408, 413)


@router.get(
    "/openapi.json",
    operation_id="getOpenApi",
    summary="This document",
    openapi_extra={"security": []},
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}, "description": "OpenAPI 3.1."}},
    response_class=Response,
)
async def get_openapi_document(request: Request) -> Response:
    """This document."""
    return Response(
        rendered(request.app), media_type="application/json", headers={"Cache-Control": "public, max-age=300"}
    )


def rendered(app: FastAPI) -> bytes:
    """The document, as it is sent; made once, which takes a moment: `main.py` does it before the first request."""
    if not hasattr(app.state, "openapi"):
        app.state.openapi = json.dumps(document(app), ensure_ascii=False, separators=(",", ":")).encode()
    body: bytes = app.state.openapi
    return body


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an application's routes."""
    made = get_openapi(title=app.title, version=app.version, description=_DESCRIPTION, tags=_TAGS, routes=app.routes)
    schemas = made["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas.setdefault("ProblemBody", ProblemBody.model_json_schema())
    made["components"]["securitySchemes"] = _SECURITY_SCHEMES
    made["security"] = [{"bearer": []}, {"cookie": []}]
    for path in made["paths"].values():
        for method in _METHODS & path.keys():
            responses = path[method].setdefault("responses", {})
            if method != "get":
                for status in _OF_MIDDLEWARE:
                    responses.setdefault(str(status), {})
            _correct_responses(responses)
    return made


def _correct_responses(responses: dict[str, Any]) -> None:
    """Problems are sent as problems, which FastAPI does not know of its own errors."""
    for status, response in responses.items():
        if status in MEANINGS and "text/html" not in response.get("content", {}):
            response["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
            response["description"] = MEANINGS[status]
        if status == "304":
            response.pop("content", None)
