"""`GET /contracts/{id}`, which clients poll, and the list of contracts."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from dealguard_api.report import RiskLevel
from dealguard_gateway.access.callers import Caller
from dealguard_gateway.contracts import is_namespace
from dealguard_gateway.http.answers import peer_address
from dealguard_gateway.listing import ContractLists, Order, Selection
from dealguard_gateway.model import Contract, ContractPage, ContractStatus
from dealguard_gateway.problems import InvalidProblem
from dealguard_gateway.routes.answers import json_answer, problem_responses
from dealguard_gateway.routes.lookup import caller_of, require, services_of
from dealguard_gateway.routes.polls import poll_answer
from dealguard_gateway.services import Services

router = APIRouter(tags=["contracts"])

# Namespaces asked about at once, for a caller who may not list all of them together.
_MAX_QUESTIONS_AT_ONCE = 20

ContractId = Annotated[str, Path(description="`<organization>.<name>`", examples=["acme.contract-5e0a6b21c90f"])]
ORGANIZATION = Query(description="The Kubernetes namespace.", examples=["acme"])


@router.get(
    "/contracts/{id}",
    operation_id="getContract",
    summary="Where a contract stands",
    description="To be asked every 3 seconds (`Retry-After`) until `status` is completed, failed or cancelled. "
    "`If-None-Match` with the last `ETag` answers 304 while nothing has changed.",
    response_model=Contract,
    responses={304: {"description": "As it was."}, **problem_responses(404)},
)
async def get_contract(request: Request, id: ContractId) -> Response:  # noqa: A002
    """Where a contract stands. `Polls` says the same before a request comes this far."""
    return await poll_answer(services_of(request), id, request.headers, peer_address(request))


@router.get(
    "/contracts",
    operation_id="listContracts",
    summary="Contracts, filtered, in order, page by page",
    description="Without `organization`: of all organizations in which the caller may list. Pages are stable: what "
    "is added meanwhile moves nothing from one page to another.",
    response_model=ContractPage,
    responses={304: {"description": "As it was."}, **problem_responses(403)},
)
async def list_contracts(  # noqa: PLR0917 - by name, from the query
    request: Request,
    organization: Annotated[str | None, ORGANIZATION] = None,
    status: Annotated[list[ContractStatus], Query(description="One of these.")] = [],  # noqa: B006
    risk: Annotated[list[RiskLevel], Query(description="One of these.")] = [],  # noqa: B006
    q: Annotated[str, Query(max_length=200, description="In the file's name, the name or the type.")] = "",
    order: Annotated[Order, Query(description="By what; with a hyphen, downwards.")] = "-createdAt",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(max_length=2000, description="From `next`.")] = None,
) -> Response:
    """Some contracts."""
    services = services_of(request)
    caller = await caller_of(request)
    if organization is None:
        namespaces = await namespaces_of(services, caller, services.store.namespaces())
    else:
        check_organization(organization)
        await require(request, caller, "list", organization)
        namespaces = [organization]
    selection = Selection(organization, frozenset(status), frozenset(risk), q.casefold().strip(), order, limit, after)
    lists: ContractLists = request.app.state.lists
    page = lists.page(namespaces, selection)
    return json_answer(request, page.body, page.etag)


def check_organization(name: str) -> None:
    """Raise `InvalidProblem` for what no namespace can be called: it goes into paths and questions."""
    if not is_namespace(name):
        raise InvalidProblem(
            "organization-invalid",
            "An organization is the name of a namespace: lower-case letters, digits and hyphens, up to 63. Take one "
            "of GET /organizations.",
        )


async def namespaces_of(services: Services, caller: Caller, candidates: set[str]) -> list[str]:
    """Those of `candidates` in which the caller may list contracts, in order."""
    if await services.access.may(caller, "list", ""):
        return sorted(candidates)
    places = asyncio.Semaphore(_MAX_QUESTIONS_AT_ONCE)

    async def may_list(namespace: str) -> bool:
        async with places:
            return await services.access.may(caller, "list", namespace)

    names = sorted(candidates)
    allowed = await asyncio.gather(*(may_list(name) for name in names))
    return [name for name, is_allowed in zip(names, allowed, strict=True) if is_allowed]
