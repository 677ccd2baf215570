"""The Lease on the API server: raw JSON to and from `lease.Lease`.

On a connection of its own: a renewal never waits behind what the operator asks for its work, nor does the right to
write, which the other connection is guarded with, apply to it.
"""

from dataclasses import replace
from datetime import UTC, datetime

from kubernetes.aio import client

from dealguard_operator import errors
from dealguard_operator.connection import LEASES, Connection, Raw, Request
from dealguard_operator.lease import Lease
from dealguard_operator.metrics import Metrics


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
        self._connection = Connection(configuration, metrics=metrics)
        self._namespace = namespace
        self._name = name

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    async def read(self, timeout_seconds: float) -> Lease | None:
        """What it says now; None: there is none yet."""
        request = Request("get", LEASES, self._namespace, self._name)
        try:
            return _lease_from(await self._connection.send(request, timeout_seconds=timeout_seconds))
        except errors.NotFoundError:
            return None

    async def write(self, lease: Lease, timeout_seconds: float) -> Lease:
        """Create it, or replace the version that `lease` was made from."""
        request = Request("create", LEASES, self._namespace, body=self._manifest(lease))
        if lease.resource_version:
            request = replace(request, verb="update", name=self._name)
        return _lease_from(await self._connection.send(request, timeout_seconds=timeout_seconds))

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
    return time.astimezone(UTC).isoformat(timespec="microseconds")  # the API server insists on a fraction


def _from_micro_time(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)
