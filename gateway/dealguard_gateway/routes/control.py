"""What is done to a contract that is there: cancelled, run again, erased."""

import uuid
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from dealguard_api.untrusted import Raw, mapping_in, text_in
from dealguard_gateway.access.callers import Caller
from dealguard_gateway.contracts import FINISHED
from dealguard_gateway.erasure import Eraser
from dealguard_gateway.kubernetes.api import analyses_path
from dealguard_gateway.kubernetes.errors import ApiError, problems_of
from dealguard_gateway.kubernetes.store import Entry
from dealguard_gateway.model import Contract, Erasure
from dealguard_gateway.problems import InvalidProblem, contract_not_found
from dealguard_gateway.routes.answers import contract_answer, problem_responses
from dealguard_gateway.routes.contracts import ContractId
from dealguard_gateway.routes.lookup import entry_for, services_of
from dealguard_gateway.services import Services

router = APIRouter(tags=["contracts"])

_MERGE_PATCH = "application/merge-patch+json"
# Status writes of the operator come in between while a run goes on.
_TRIES = 5


@router.post(
    "/contracts/{id}/cancel",
    operation_id="cancelContract",
    summary="End the analysis",
    description="It ends within seconds; a second request changes nothing.",
    status_code=202,
    response_model=Contract,
    responses={202: {"description": "It is being cancelled."}, **problem_responses(403, 404, 409)},
)
async def cancel_contract(request: Request, id: ContractId) -> Response:  # noqa: A002
    """Cancel the present run."""
    caller, entry = await entry_for(request, id, "patch")
    entry = await _patched(services_of(request), caller, entry, cancelling)
    return contract_answer(services_of(request).store, entry, status=202)


@router.post(
    "/contracts/{id}/rerun",
    operation_id="rerunContract",
    summary="Analyse it once more",
    description="After it has ended, however that was; the next report takes the place of the last one. What is "
    "suspended goes on.",
    status_code=202,
    response_model=Contract,
    responses={202: {"description": "It waits for its turn."}, **problem_responses(403, 404, 409)},
)
async def rerun_contract(request: Request, id: ContractId) -> Response:  # noqa: A002
    """Ask for another run."""
    caller, entry = await entry_for(request, id, "patch")
    entry = await _patched(services_of(request), caller, entry, rerunning)
    return contract_answer(services_of(request).store, entry, status=202)


@router.delete(
    "/contracts/{id}",
    operation_id="eraseContract",
    summary="Erase it: analysis, document and reports",
    description="Verified before the answer. If something fails before the analysis itself goes, the contract is "
    "still there, and the same request goes on. What a 200 leaves is told in `kept`.",
    response_model=Erasure,
    responses=problem_responses(403, 404),
)
async def erase_contract(request: Request, id: ContractId) -> Erasure:  # noqa: A002
    """Erase it."""
    caller, entry = await entry_for(request, id, "delete")
    services = services_of(request)
    eraser = Eraser(services.kubernetes, services.store, services.documents, services.access)
    return await eraser.erase(entry, caller)


def cancelling(entry: Entry) -> dict[str, Any] | None:
    """The spec's change that ends the present run; None: there is none to make.

    Raises:
        InvalidProblem: 409, it has ended.
    """
    if entry.contract.status in FINISHED:
        raise InvalidProblem(
            "already-finished",
            f"It has ended already: it is {entry.contract.status}. There is nothing to cancel.",
            status=409,
        )
    return None if mapping_in(entry.raw, "spec").get("cancel") is True else {"cancel": True}


def rerunning(entry: Entry) -> dict[str, Any]:
    """The spec's change that begins another run.

    Raises:
        InvalidProblem: 409, the present one has not ended.
    """
    spec = mapping_in(entry.raw, "spec")
    if entry.contract.status in FINISHED:
        return {"runToken": _next_token(spec, entry), "cancel": False, "suspend": False}
    if spec.get("suspend") is True and spec.get("cancel") is not True:
        return {"suspend": False}
    raise InvalidProblem(
        "not-finished",
        f"It has not ended yet: it is {entry.contract.status}. Wait for its end, or cancel it first.",
        status=409,
    )


def _next_token(spec: Raw, entry: Entry) -> str:
    """A run's token: the same for two who ask at the same time, so that one run is paid for."""
    token = f"run-{entry.contract.run + 1}"
    used = (text_in(spec, "runToken"), text_in(mapping_in(entry.raw, "status"), "runToken"))
    return f"{token}-{uuid.uuid4().hex[:8]}" if token in used else token


async def _patched(
    services: Services, caller: Caller, entry: Entry, change: Callable[[Entry], dict[str, Any] | None]
) -> Entry:
    """The contract after `change`, which is judged by the state that it is applied to."""
    path = analyses_path(entry.namespace, entry.name)
    try:
        for last in (False,) * (_TRIES - 1) + (True,):
            spec = change(entry)
            if spec is None:
                return entry
            # The version stands for the uid too, which a merge patch does not check.
            body = {"metadata": {"resourceVersion": entry.resource_version}, "spec": spec}
            try:
                raw = await services.kubernetes.request(
                    "PATCH", path, credentials=caller.credentials, body=body, content_type=_MERGE_PATCH
                )
                return services.store.put(raw)
            except ApiError as error:
                if error.status != 409 or last:
                    raise
            entry = services.store.put(await services.kubernetes.request("GET", path, credentials=None))
    except ApiError as error:
        if error.status == 404:
            services.store.remove(entry.raw)
            raise contract_not_found() from None
        raise problems_of(error) from None
    raise AssertionError("the last try returns or raises")
