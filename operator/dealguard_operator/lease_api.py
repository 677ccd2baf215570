"""The Lease on the API server: raw JSON to and from `lease.Lease`.

On a connection of its own: a renewal never waits behind what the operator asks for its work, nor does the right to
write, which the other connection is guarded with, apply to it.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from kubernetes.aio import client

from dealguard_operator import errors
from dealguard_operator.kubernetes_api import send
from dealguard_operator.lease import Lease
from dealguard_operator.metrics import Metrics

Raw = dict[str, Any]


class LeaseApi:
    """One Lease.

    Args:
        configuration: how to reach the API server.
        namespace: where it is.
        name: its name.
        metrics: where the requests are counted.
    """

    def __init__(
        self, configuration: client.Configuration, namespace: str, name: str, *, metrics: Metrics | None = None
    ) -> None:
        self._client = client.ApiClient(configuration=configuration)
        self._leases = client.CoordinationV1Api(self._client)
        self._namespace = namespace
        self._metrics = metrics
        self._name = name

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()  # type: ignore[no-untyped-call]

    async def read(self, timeout_seconds: float) -> Lease | None:
        """What it says now; None: there is none yet."""
        method = self._leases.read_namespaced_lease_without_preload_content
        try:
            return _lease_from(await self._send(method, self._name, self._namespace, timeout_seconds=timeout_seconds))
        except errors.NotFoundError:
            return None

    async def write(self, lease: Lease, timeout_seconds: float) -> Lease:
        """Create it, or replace the version that `lease` was made from."""
        create = self._leases.create_namespaced_lease_without_preload_content
        update = self._leases.replace_namespaced_lease_without_preload_content
        body = self._manifest(lease)
        if lease.resource_version:
            return _lease_from(
                await self._send(update, self._name, self._namespace, body, timeout_seconds=timeout_seconds)
            )
        return _lease_from(await self._send(create, self._namespace, body, timeout_seconds=timeout_seconds))

    async def _send(self, method: Callable[..., Awaitable[Any]], *args: Any, timeout_seconds: float) -> Raw:
        return await send(method, *args, timeout_seconds=timeout_seconds, metrics=self._metrics)

    def _manifest(self, lease: Lease) -> Raw:
        metadata = {"namespace": self._namespace, "name": self._name, "resourceVersion": lease.resource_version}
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {key: value for key, value in metadata.items() if value},
            "spec": {
                "holderIdentity": lease.holder,
                "leaseDurationSeconds": lease.duration_seconds,
                "acquireTime": _to_micro_time(lease.acquired_at),
                "renewTime": _to_micro_time(lease.renewed_at),
                "leaseTransitions": lease.transitions,
            },
        }


def _lease_from(raw: Raw) -> Lease:
    """A Lease whose fields may be missing: each is optional to the API server."""
    try:
        spec = raw.get("spec") or {}
        return Lease(
            holder=spec.get("holderIdentity") or "",
            duration_seconds=spec.get("leaseDurationSeconds") or 1,
            acquired_at=_from_micro_time(spec.get("acquireTime")),
            renewed_at=_from_micro_time(spec.get("renewTime")),
            transitions=spec.get("leaseTransitions") or 0,
            resource_version=raw["metadata"]["resourceVersion"],
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # a proxy's page, say
        raise errors.UnavailableError("the answer is no Lease") from error


def _to_micro_time(time: datetime) -> str:
    # The API server insists on a fraction, and the client's model of a Lease drops one that is zero.
    return time.replace(microsecond=time.microsecond or 1).astimezone(UTC).isoformat()


def _from_micro_time(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)
