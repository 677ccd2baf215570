"""`GET /organizations`: the namespaces in which the caller may see contracts."""

from asyncio import gather

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from dealguard_api.untrusted import mapping_in, mappings_in, text_in
from dealguard_gateway.access.callers import Caller
from dealguard_gateway.kubernetes.errors import ApiError
from dealguard_gateway.model import Organization
from dealguard_gateway.routes.answers import problem_responses
from dealguard_gateway.routes.contracts import namespaces_of
from dealguard_gateway.routes.lookup import caller_of, services_of
from dealguard_gateway.services import Services

router = APIRouter(tags=["contracts"])

_LIST = TypeAdapter(list[Organization])


@router.get(
    "/organizations",
    operation_id="listOrganizations",
    summary="Where the caller may see contracts",
    description="Namespaces that the gateway knows of: those with contracts, those that the installation names, the "
    "caller's own, and those that the caller may list in the cluster. Another one may be used all the same, by its "
    "name, where the caller has the right.",
    response_model=list[Organization],
    responses=problem_responses(),
)
async def list_organizations(request: Request) -> Response:
    """Where the caller may see contracts."""
    found = await organizations_of(services_of(request), await caller_of(request))
    return Response(
        _LIST.dump_json(found, by_alias=True),
        media_type="application/json",
        headers={"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"},
    )


async def organizations_of(services: Services, caller: Caller) -> list[Organization]:
    """The namespaces in which the caller may list contracts, in order.

    Raises:
        UnavailableProblem: the API server does not answer.
    """
    served, named = services.settings.namespaces, set(services.settings.organizations)
    if served:
        candidates = set(served)
    else:
        own = {caller.own_namespace} if caller.own_namespace else set()
        candidates = services.store.namespaces() | named | own | await _listed_by(services, caller)
    names = await namespaces_of(services, caller, candidates)
    may_upload = await gather(*(services.access.may(caller, "create", name) for name in names))
    return [Organization(name=name, may_upload=may) for name, may in zip(names, may_upload, strict=True)]


async def _listed_by(services: Services, caller: Caller) -> set[str]:
    """The namespaces that the caller may list themselves: the gateway's own account may not."""
    try:
        answer = await services.kubernetes.request(
            "GET", "/api/v1/namespaces", credentials=caller.credentials, query={"limit": "500"}, timeout_seconds=3.0
        )
    except ApiError:
        return set()  # most callers may not, and while the API server is away there are the others
    return {text_in(mapping_in(item, "metadata"), "name") for item in mappings_in(answer, "items")} - {""}
