"""Sessions of browsers: who is logged in, logging in by token or at the issuer of identities, logging out."""

import html
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dealguard_api.base import WireModel
from dealguard_gateway.access.callers import Caller
from dealguard_gateway.access.impersonation import IMPERSONATE_USER
from dealguard_gateway.access.oidc import LoginFailedProblem, Oidc, StrayLoginProblem
from dealguard_gateway.access.sessions import SessionCredentials
from dealguard_gateway.access.tokens import unverified_expiry
from dealguard_gateway.http.answers import peer_address
from dealguard_gateway.model import Organization, Session
from dealguard_gateway.problems import NotFoundProblem, Problem, ProblemBody, UnauthenticatedProblem
from dealguard_gateway.routes.lookup import caller_of, services_of
from dealguard_gateway.routes.organizations import organizations_of

router = APIRouter(tags=["session"])

_PUBLIC = {"security": list[str]()}  # in OpenAPI: for those who are nobody yet

_MAX_TOKEN_CHARACTERS = 12_000
_MAX_PATH_CHARACTERS = 2_000
# A person followed a link here, so a person is answered.
_FAILED_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>DealGuard: login</title>
<h1>The login did not succeed. <span lang="de">Die Anmeldung ist nicht gelungen.</span></h1>
<p>{detail}</p><p><a href="/">Begin again. <span lang="de">Noch einmal beginnen.</span></a></p></html>
"""


class TokenLogin(WireModel):
    """A login with a token of the cluster."""

    token: Annotated[str, Field(min_length=1, max_length=_MAX_TOKEN_CHARACTERS, description="A bearer token.")]


@router.get(
    "/session",
    operation_id="getSession",
    openapi_extra=_PUBLIC,
    responses={429: {"model": ProblemBody}, 503: {"model": ProblemBody}},
)
async def read_session(request: Request) -> Session:
    """Who the caller is, what they may, and how one can log in. Nobody is an answer too."""
    services = services_of(request)
    settings = services.settings
    caller, organizations, expires_at = await _recognised(request)
    return Session(
        user=caller.username if caller else None,
        organizations=organizations,
        login=[*(["token"] if settings.token_login else []), *(["oidc"] if services.oidc else [])],
        # Elsewhere a link of somebody else's would log people in as whom it likes.
        login_by_link=settings.token_login and settings.insecure_cookies,
        max_pdf_bytes=settings.max_pdf_bytes,
        expires_at=expires_at,
    )


async def _recognised(request: Request) -> tuple[Caller | None, list[Organization], datetime | None]:
    sessions = services_of(request).sessions
    if "authorization" not in request.headers and sessions.any_session(request.headers) is None:
        return None, [], None
    try:
        caller = await caller_of(request)
    except UnauthenticatedProblem:
        return None, [], None
    session = sessions.any_session(request.headers) if caller.by_cookie else None
    return caller, await organizations_of(services_of(request), caller), session.ends_at if session else None


@router.post(
    "/session",
    status_code=204,
    operation_id="logIn",
    openapi_extra=_PUBLIC,
    responses={status: {"model": ProblemBody} for status in (401, 403, 404, 429, 503)},
)
async def log_in(request: Request, login: TokenLogin) -> Response:
    """Begin a session with a token of the cluster, where the installation allows it."""
    services, address = services_of(request), peer_address(request)
    if not services.settings.token_login:
        raise NotFoundProblem("no-token-login", "There is no login by token here. GET /session says how to log in.")
    services.limits.check_login(address)
    token = login.token.strip()
    try:
        caller = await services.access.caller({"authorization": f"Bearer {token}"})
    except UnauthenticatedProblem:
        services.limits.count_failed_login(address)
        raise UnauthenticatedProblem(
            "credentials-rejected",
            "The cluster does not accept this token. Make a new one (kubectl create token NAME), and copy it whole.",
        ) from None
    # A token of the issuer, where the API server does not know it: the session acts in its user's name.
    is_named = IMPERSONATE_USER in caller.credentials
    session = SessionCredentials(
        username=caller.username,
        token=None if is_named else token,
        groups=caller.groups if is_named else (),
        token_expires_at=unverified_expiry(token),
        expires_at=services.sessions.new_expiry(),
    )
    return _with_cookies(Response(status_code=204), services.sessions.login(session, request.headers))


@router.delete(
    "/session",
    status_code=204,
    operation_id="logOut",
    openapi_extra=_PUBLIC,
    responses={403: {"model": ProblemBody}},
)
async def log_out(request: Request) -> Response:
    """End the session of this browser. What it has read goes from its cache."""
    response = Response(status_code=204, headers={"Clear-Site-Data": '"cache"'})
    return _with_cookies(response, services_of(request).sessions.logout(request.headers))


@router.get(
    "/session/oidc/start",
    status_code=303,
    operation_id="beginLogin",
    openapi_extra=_PUBLIC,
    response_class=RedirectResponse,
    responses={404: {"model": ProblemBody}, 429: {"model": ProblemBody}, 503: {"model": ProblemBody}},
)
async def begin_login(
    request: Request,
    next: Annotated[str, Query(description="A path of this page to come back to.")] = "/",  # noqa: A002
) -> Response:
    """Send the person to the issuer of identities."""
    services, address = services_of(request), peer_address(request)
    oidc = _oidc(request)
    services.limits.check_stranger(address, request.headers)
    services.limits.count_failure(address)
    url, state, nonce, verifier = await oidc.start()
    cookie = services.sessions.begin_login(state, nonce, verifier, local_path(next))
    return _with_cookies(RedirectResponse(url, status_code=303), (cookie,))


@router.get(
    "/session/oidc/callback",
    status_code=303,
    operation_id="finishLogin",
    openapi_extra=_PUBLIC,
    response_class=RedirectResponse,
    responses={401: {"content": {"text/html": {}}}, 404: {"model": ProblemBody}, 429: {"model": ProblemBody}},
)
async def finish_login(request: Request) -> Response:
    """Where the issuer of identities sends people back to."""
    services, address = services_of(request), peer_address(request)
    oidc = _oidc(request)
    services.limits.check_login(address)
    login = services.sessions.login_state(request.headers)
    try:
        if login is None:
            raise StrayLoginProblem("it was not begun in this browser, or more than ten minutes ago")
        answer = dict(request.query_params)
        session = await oidc.finish(answer, login, services.sessions.new_expiry())
        if session.token is not None:
            await _require_accepted(request, session.token)
        cookies = services.sessions.login(session, request.headers)
    except Problem as problem:
        # Only what somebody judged: else anybody could use up the logins of all who share their address.
        if isinstance(problem, UnauthenticatedProblem) and not isinstance(problem, StrayLoginProblem):
            services.limits.count_failed_login(address)
        page = _FAILED_PAGE.format(detail=html.escape(problem.detail))
        response = Response(page, status_code=problem.status, media_type="text/html; charset=utf-8")
        return _with_cookies(response, (services.sessions.end_login(),))
    return _with_cookies(RedirectResponse(login.next, status_code=303), (*cookies, services.sessions.end_login()))


async def _require_accepted(request: Request, token: str) -> None:
    try:
        await services_of(request).access.caller({"authorization": f"Bearer {token}"})
    except UnauthenticatedProblem:
        raise LoginFailedProblem(
            "the cluster does not accept identities of this issuer. Its API server has to trust it, and this client"
        ) from None


def local_path(path: str) -> str:
    """The path, if it stays on this page; else the page itself.

    Browsers read a backslash as a slash and skip tabs and line breaks: `/\\t/example.com` would lead away.
    """
    is_plain = all("!" <= character <= "~" and character != "\\" for character in path)
    is_local = path.startswith("/") and not path.startswith("//")
    return path if is_plain and is_local and len(path) <= _MAX_PATH_CHARACTERS else "/"


def _oidc(request: Request) -> Oidc:
    oidc = services_of(request).oidc
    if oidc is None:
        raise NotFoundProblem("no-oidc", "There is no login by OpenID Connect here. GET /session says how to log in.")
    return oidc


def _with_cookies(response: Response, cookies: tuple[str, ...]) -> Response:
    for cookie in cookies:
        response.headers.append("set-cookie", cookie)
    return response
