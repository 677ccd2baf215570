"""Scripted faults of the API server: each becomes one error, which says whether to try again and when."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import Any

import kmock as mock
import pytest
from kmock import Response  # type: ignore[attr-defined]
from kubernetes.aio import client

from dealguard_api import names
from dealguard_operator import errors
from dealguard_operator.kubernetes_api import KubernetesApi, in_cluster_server
from dealguard_operator.server_clock import ServerClock
from tests.unit.operator_cases import NAME, NAMESPACE, NOWHERE, UID, at

pytestmark = pytest.mark.kmock(cls=mock.RawHandler)

ANALYSES = f"/apis/{names.GROUP}/{names.VERSION}/namespaces/{NAMESPACE}/{names.PLURAL}"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
JOB = {"metadata": {"namespace": NAMESPACE, "name": "x"}}


@pytest.fixture
async def api(kmock: mock.RawHandler) -> AsyncIterator[KubernetesApi]:
    api = KubernetesApi(client.Configuration(host=str(kmock.url).rstrip("/")), request_timeout_seconds=2)
    yield api
    await api.close()


def refusal(status: int, message: str = "no", reason: str = "", causes: list[str] | None = None, **headers: str) -> Any:
    details = {"causes": [{"reason": cause} for cause in causes or []]}
    body = {"kind": "Status", "status": "Failure", "message": message, "reason": reason, "details": details}
    return Response(status=status, headers={key.replace("_", "-"): v for key, v in headers.items()}, payload=body)


@pytest.mark.parametrize(
    ("why", "answer", "expected", "retry_after_seconds"),
    [
        ("too many requests", refusal(429, Retry_After="7"), errors.UnavailableError, 7.0),
        ("a proxy that asks for an hour", refusal(503, Retry_After="3600"), errors.UnavailableError, 60.0),
        ("without a hint", refusal(429), errors.UnavailableError, None),
        ("a date for a hint", refusal(503, Retry_After="Mon, 23 Nov 2026 12:00:00 GMT"), errors.UnavailableError, None),
        ("internal error", refusal(500), errors.UnavailableError, None),
        ("a proxy's page", Response(status=502, payload=b"<html>"), errors.UnavailableError, None),
        ("the token is being rotated", refusal(401), errors.UnavailableError, None),
        (
            "our rights are missing",
            refusal(403, 'jobs.batch is forbidden: User "system:serviceaccount:x:y" cannot create resource "jobs"'),
            errors.UnavailableError,
            None,
        ),
        ("quota", refusal(403, 'jobs.batch "x" is forbidden: exceeded quota: small'), errors.QuotaExceededError, None),
        (
            "a quota that was just created",
            refusal(403, 'jobs.batch "x" is forbidden: status unknown for quota: small, resources: count/jobs.batch'),
            errors.QuotaExceededError,
            None,
        ),
        (
            "it has just started",
            refusal(403, 'jobs.batch "x" is forbidden: not yet ready to handle request'),
            errors.UnavailableError,
            None,
        ),
        (
            "a policy that speaks of users",
            refusal(403, 'jobs.batch "x" is forbidden: ValidatingAdmissionPolicy denied request: User agents'),
            errors.RejectedError,
            None,
        ),
        ("invalid", refusal(422), errors.RejectedError, None),
        ("the namespace goes", refusal(403, causes=["NamespaceTerminating"]), errors.NotFoundError, None),
        ("the namespace is gone", refusal(404), errors.NotFoundError, None),
        ("it exists", refusal(409, reason="AlreadyExists"), errors.AlreadyExistsError, None),
        ("it changed", refusal(409, reason="Conflict"), errors.ConflictError, None),
    ],
)
async def test_each_refusal_is_one_error(
    kmock: mock.RawHandler,
    api: KubernetesApi,
    why: str,
    answer: Any,
    expected: type[errors.ApiError],
    retry_after_seconds: float | None,
) -> None:
    kmock[f"post {JOBS}"] << answer
    with pytest.raises(errors.ApiError) as caught:
        await api.create_job(JOB)
    assert type(caught.value) is expected, why
    if isinstance(caught.value, errors.UnavailableError):
        assert caught.value.retry_after_seconds == retry_after_seconds
    assert len(kmock[f"post {JOBS}"]) == 1, "the adapter itself does not repeat: the reconciliation is repeated"


async def test_no_answer_is_given_up(kmock: mock.RawHandler, api: KubernetesApi) -> None:
    kmock[f"post {JOBS}"] << (lambda: asyncio.sleep(5))
    with pytest.raises(errors.UnavailableError, match=r"no answer within|Timeout"):
        await api.create_job(JOB)


async def test_a_refused_connection_is_no_traceback() -> None:
    api = KubernetesApi(NOWHERE, request_timeout_seconds=0.5)
    with pytest.raises(errors.UnavailableError):
        await api.create_job(JOB)
    await api.close()


@pytest.mark.parametrize("answer", [b"not json", b"[]", b""])
async def test_an_answer_without_an_object_may_pass(kmock: mock.RawHandler, api: KubernetesApi, answer: bytes) -> None:
    kmock[f"get {JOBS}/x"] << answer
    with pytest.raises(errors.UnavailableError, match="no API server"):
        await api.get_job(NAMESPACE, "x")


async def test_an_answer_that_is_no_list_is_no_empty_list(kmock: mock.RawHandler, api: KubernetesApi) -> None:
    kmock[f"get {JOBS}"] << {"status": "ok"}
    with pytest.raises(errors.UnavailableError, match="no list"):
        _ = [job async for job in api.list_jobs(NAMESPACE)]
    kmock["get"] << {"status": "ok"}
    with pytest.raises(errors.UnavailableError, match="no list"):
        await api.check_lists(NAMESPACE)


@pytest.mark.parametrize(
    ("why", "status", "payload", "is_told"),
    [
        ("an object", 200, JOB, True),
        ("a refusal", 404, {"kind": "Status", "message": "no"}, True),
        ("a balancer's page", 502, b"<html>", False),
        ("a balancer's page that says all is well", 200, b"<html>", False),
        ("somebody else's JSON", 503, {"error": "no healthy upstream"}, False),
    ],
)
async def test_only_the_api_servers_own_answers_tell_the_time(
    kmock: mock.RawHandler, why: str, status: int, payload: Any, is_told: bool
) -> None:
    two_days_later = format_datetime(at(2 * 86_400), usegmt=True)
    kmock[f"get {JOBS}/x"] << Response(status=status, payload=payload, headers={"Date": two_days_later})
    clock = ServerClock(lambda: at(0))
    api = KubernetesApi(client.Configuration(host=str(kmock.url).rstrip("/")), clock=clock)
    with contextlib.suppress(errors.ApiError):
        await api.get_job(NAMESPACE, "x")
    await api.close()
    assert (clock.now() == at(2 * 86_400)) is is_told, why


async def test_lists_are_read_page_by_page_and_selected_by_the_server(
    kmock: mock.RawHandler, api: KubernetesApi
) -> None:
    pages = iter(
        [
            {"items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "more"}},
            {"items": [{"metadata": {"name": "b"}}], "metadata": {}},
        ]
    )
    kmock[f"get {JOBS}"] << (lambda: next(pages))  # type: ignore[operator]
    assert [item["metadata"]["name"] async for item in api.list_jobs(NAMESPACE)] == ["a", "b"]
    requests = list(kmock[f"get {JOBS}"])
    assert [request.params.get("continue") for request in requests] == [None, "more"]
    assert {request.params["limit"] for request in requests} == {"50"}
    assert {request.params["labelSelector"] for request in requests} == {
        "app.kubernetes.io/managed-by=dealguard-operator"
    }


async def test_the_pods_of_one_analysis_are_found_without_the_operators_own_label(
    kmock: mock.RawHandler, api: KubernetesApi
) -> None:
    pods = f"get /api/v1/namespaces/{NAMESPACE}/pods"
    kmock[pods] << {"items": []}
    assert [item async for item in api.list_pods(NAMESPACE, UID)] == []
    assert [request.params["labelSelector"] for request in kmock[pods]] == [f"{names.LABEL_UID}={UID}"]


async def test_deletions_name_exactly_what_is_meant(kmock: mock.RawHandler, api: KubernetesApi) -> None:
    kmock["delete"] << {"kind": "Status"}
    await api.delete_job(NAMESPACE, "x", uid="job-uid")
    await api.delete_analysis(NAMESPACE, NAME, uid=UID, resource_version="7")
    assert [request.data for request in kmock["delete"]] == [
        {"preconditions": {"uid": "job-uid"}, "propagationPolicy": "Foreground"},
        {"preconditions": {"uid": UID, "resourceVersion": "7"}, "propagationPolicy": "Background"},
    ]


async def test_the_status_is_put_to_its_subresource(kmock: mock.RawHandler, api: KubernetesApi) -> None:
    manifest = {
        "metadata": {"namespace": NAMESPACE, "name": NAME, "uid": UID, "resourceVersion": "7"},
        "status": {"phase": "Pending"},
    }
    kmock[f"put {ANALYSES}/{NAME}/status"] << {"kind": names.KIND}
    assert await api.replace_status(manifest) == {"kind": names.KIND}
    (request,) = kmock[f"put {ANALYSES}/{NAME}/status"]
    assert request.data == manifest


@pytest.mark.parametrize(
    ("host", "url"), [("10.96.0.1", "https://10.96.0.1:443"), ("fd00::1", "https://[fd00::1]:443")]
)
def test_the_api_server_of_a_pod_is_the_one_the_kubelet_names(host: str, url: str) -> None:
    environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "443"}
    assert in_cluster_server(environment) == url
