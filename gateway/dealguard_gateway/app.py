"""The HTTP API: which routes there are, and what holds for all of them."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from dealguard_gateway import __version__
from dealguard_gateway.http.answers import problem_answer
from dealguard_gateway.http.middleware import middleware
from dealguard_gateway.http.small_bodies import SmallBodies
from dealguard_gateway.http.streams import Streams
from dealguard_gateway.listing import ContractLists
from dealguard_gateway.logs import RequestRecord
from dealguard_gateway.problems import InvalidProblem, NotFoundProblem, Problem
from dealguard_gateway.routes import (
    contracts,
    control,
    document,
    events,
    openapi,
    organizations,
    page,
    report,
    resource,
    session,
    uploads,
)
from dealguard_gateway.routes.polls import Polls
from dealguard_gateway.services import Services

_UPLOADS = frozenset({("POST", "/contracts")})


def create_app(services: Services) -> FastAPI:
    """The application that answers with `services`."""
    app = create_routes(_middleware(services))
    app.state.services = services
    app.state.lists = ContractLists(services.store)
    app.state.streams = Streams(services.metrics)
    return app


def create_routes(stack: list[Middleware] | None = None) -> FastAPI:
    """The routes alone, which is what the OpenAPI document is made from."""
    app = FastAPI(
        title="DealGuard",
        version=__version__,
        # The pages on them load scripts from other hosts; the document is a route of ours.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        # It would export what exceptions say. `metrics.py` and `logs.py` count and tell what may be told.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        middleware=stack,
        exception_handlers={
            Problem: _answer_problem,
            RequestValidationError: _answer_invalid,
            HTTPException: _answer_http,
        },
    )
    # The most often asked first: paths are tried in this order.
    often = (contracts, uploads, report, document, events)
    for part in (*often, control, organizations, resource, session, openapi, page):
        app.include_router(part.router)
    return app


def _middleware(services: Services) -> list[Middleware]:
    outermost, *others = middleware(services.settings, services.sessions, services.oidc)
    return [
        outermost,
        Middleware(RequestRecord, metrics=services.metrics),
        *others,
        Middleware(SmallBodies, uploads=_UPLOADS),
        Middleware(Polls, services=services),
    ]


async def _answer_problem(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return problem_answer(problem)


async def _answer_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Where and what, never the value: it may be what somebody has typed into the wrong field.
    found = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
    detail = f"Correct {'; '.join(found[:5])}. The reference is /openapi.json."
    return problem_answer(InvalidProblem("request-invalid", detail))


async def _answer_http(_: Request, error: Exception) -> Response:
    """What the router says by itself."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return problem_answer(NotFoundProblem("no-such-path", "There is nothing here. The paths are in /openapi.json."))
    if error.status_code == 405:
        problem = InvalidProblem(
            "method-not-allowed", "This path does not know that method. The methods are in /openapi.json.", status=405
        )
    else:
        problem = InvalidProblem("bad-request", "The request cannot be read. Send it again.", status=error.status_code)
    problem.headers.update(error.headers or {})
    return problem_answer(problem)
