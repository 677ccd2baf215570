"""The beginning of every request: who calls, what they may, and only then what there is.

The order is the point. Whether somebody else's contract exists shows in nothing: not in the status, not in the body,
not in the way that the answer was found.
"""

from collections.abc import Mapping

from starlette.requests import Request

from dealguard_gateway import logs
from dealguard_gateway.access.callers import Caller
from dealguard_gateway.contracts import split_id
from dealguard_gateway.http.answers import peer_address
from dealguard_gateway.kubernetes.api import analyses_path
from dealguard_gateway.kubernetes.errors import ApiError, problems_of
from dealguard_gateway.kubernetes.store import Entry
from dealguard_gateway.problems import ForbiddenProblem, UnauthenticatedProblem, contract_not_found
from dealguard_gateway.services import Services


def services_of(request: Request) -> Services:
    """What the request may need."""
    services: Services = request.app.state.services
    return services


async def caller_of(request: Request) -> Caller:
    """Who calls; their request is counted.

    Raises:
        UnauthenticatedProblem: nobody that the cluster accepts.
        TooManyProblem: more than one user's, or one address's, share.
        UnavailableProblem: the API server does not answer.
    """
    return await caller_with(services_of(request), request.headers, peer_address(request))


async def caller_with(services: Services, headers: Mapping[str, str], address: str) -> Caller:
    """`caller_of`, for a request with these headers (names in lower case) from that address."""
    services.limits.check_stranger(address, headers)
    try:
        caller = await services.access.caller(headers)
    except UnauthenticatedProblem:
        services.limits.count_failure(address)
        raise
    services.limits.remember(headers)
    services.limits.take_request(caller)
    return caller


async def require(request: Request, caller: Caller, verb: str, namespace: str, name: str = "") -> None:
    """Go on only if the caller may do `verb` there.

    Raises:
        ForbiddenProblem: they may not.
        UnavailableProblem: the API server does not answer.
    """
    if not await services_of(request).access.may(caller, verb, namespace, name):
        where = f"in the organization {namespace}" if namespace else "in all organizations at once"
        raise ForbiddenProblem(
            "forbidden",
            f"You may not {verb} contracts {where}. Ask its administrator for the right, or use an organization of "
            "GET /organizations.",
        )


async def entry_for(request: Request, id: str, verb: str = "get") -> tuple[Caller, Entry]:  # noqa: A002
    """The caller, and the contract `id` to do `verb` to.

    Raises:
        NotFoundProblem: there is none, or the caller may not see it: no telling which.
        ForbiddenProblem: they may see it, but not do that.
        UnauthenticatedProblem, TooManyProblem, UnavailableProblem: as `caller_of`.
    """
    caller = await caller_of(request)
    return caller, await entry_of_caller(request, caller, id, verb)


async def entry_of_caller(request: Request, caller: Caller, id: str, verb: str = "get") -> Entry:  # noqa: A002
    """`entry_for`, for a caller who is known already."""
    entry = await visible_entry(services_of(request), caller, id)
    if verb != "get":
        await require(request, caller, verb, entry.namespace, entry.name)
    return entry


async def visible_entry(services: Services, caller: Caller, id: str) -> Entry:  # noqa: A002
    """The contract `id`, if the caller may see it.

    Raises:
        NotFoundProblem: there is none, or the caller may not see it: no telling which.
        UnavailableProblem: the API server does not answer.
    """
    namespace, name = split_id(id)
    if not await services.access.may(caller, "get", namespace, name):
        raise contract_not_found()
    entry = services.store.get(namespace, name) or await _look_once_more(services, namespace, name)
    logs.about(uid=entry.uid, namespace=namespace, name=name)
    return entry


async def _look_once_more(services: Services, namespace: str, name: str) -> Entry:
    """Ask the API server: another replica may have created it a moment before the watch tells of it."""
    if not services.store.serves(namespace):
        raise contract_not_found()
    try:
        return services.store.put(
            await services.kubernetes.request("GET", analyses_path(namespace, name), credentials=None)
        )
    except ApiError as error:
        if error.status == 404:
            raise contract_not_found() from error
        raise problems_of(error) from error
