"""Ten thousand clients of one gateway at the same moment, and others that only hold connections open."""

import json
import os
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from dealguard_cluster import Cluster
from tests.cluster.gateway_tools import (
    Gateway,
    Tenants,
    User,
    gateway,
    gateway_kubeconfig,
    poll,
    running_gateway,
    tenants,
)
from tests.cluster.many_clients import Client, allow_files, ask_at_once

__all__ = ["gateway", "gateway_kubeconfig", "tenants"]  # fixtures

CLIENTS = 10_000
# That ask for nothing and never end their headers (slow-loris).
HOLDERS = 2_000
CONTRACTS = 20
# A bound on what is kept for each open connection with a poll under way; docs/gateway.md names the measured figure.
MAX_KB_PER_CONNECTION = 40
# Generous: how fast it is, benchmarks/gateway measures.
LIMIT_SECONDS = 120.0


def resident_kb(process_id: int) -> int:
    """The memory that a process has."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def question(id: str, user: User, etag: str = "") -> bytes:  # noqa: A002
    """One poll."""
    known = f"If-None-Match: {etag}\r\n" if etag else ""
    head = f"GET /contracts/{id} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {user.token}\r\n{known}\r\n"
    return head.encode()


def closed_at_the_end(stack: ExitStack, clients: Sequence[Client]) -> None:
    """Close their connections when the block ends."""
    for client in clients:
        stack.callback(client.connection.close)


def test_ten_thousand_clients_that_poll_at_once_are_all_answered(
    cluster: Cluster, gateway_kubeconfig: Path, tenants: Tenants, tmp_path: Path
) -> None:
    allow_files(CLIENTS)
    ids = [tenants.create(f"crowd-{number}") for number in range(CONTRACTS)]
    with running_gateway(cluster, gateway_kubeconfig, tmp_path) as gateway, ExitStack() as stack:
        with gateway.client(tenants.own) as client:
            for id_ in ids:
                poll(client, id_, status="pending")
            etags = {id_: client.get(f"/contracts/{id_}").headers["etag"] for id_ in ids}
        before_kb, counted = resident_kb(gateway.process.pid), answered(gateway)
        # Every second one knows the contract already, and every tenth asks for one that is not theirs.
        asked = [(ids[number % CONTRACTS], number % 10 == 9, number % 2 == 0) for number in range(CLIENTS)]
        clients = ask_at_once(
            gateway.port,
            [question(id_, tenants.other if is_foreign else tenants.own, etags[id_] if knows else "")
             for id_, is_foreign, knows in asked],
            limit_seconds=LIMIT_SECONDS,
        )  # fmt: skip
        closed_at_the_end(stack, clients)
        grown_kb = resident_kb(gateway.process.pid) - before_kb

        assert not [client for client in clients if not client.is_answered]
        assert not [client for client in clients if client.is_closed], "all connections are open still"
        expected = [404 if is_foreign else 304 if knows else 200 for _, is_foreign, knows in asked]
        assert Counter(client.status for client in clients) == Counter(expected)
        for (id_, _, _), status, client in zip(asked, expected, clients, strict=True):
            assert client.status == status
            assert status != 200 or json.loads(client.body)["id"] == id_
            assert status != 304 or not client.body
        assert len({client.body for client in clients if client.status == 404}) == 1
        assert answered(gateway) - counted == CLIENTS
        assert grown_kb < CLIENTS * MAX_KB_PER_CONNECTION, f"{grown_kb / CLIENTS:.1f} KB a connection"
        assert gateway.is_ready()
        assert gateway.process.poll() is None
        severities = {json.loads(line)["severity"] for line in gateway.log.splitlines()}
    assert severities == {"info"}


def test_clients_that_only_hold_connections_keep_nobody_from_being_served(gateway: Gateway, tenants: Tenants) -> None:
    allow_files(HOLDERS)
    id_ = tenants.create("held")
    unfinished = question(id_, tenants.own)[:-2] + b"X-Slow: "
    with ExitStack() as stack, gateway.client(tenants.own) as client:
        # No answer is waited for: there is none.
        holders = ask_at_once(gateway.port, [unfinished] * HOLDERS, limit_seconds=0)
        closed_at_the_end(stack, holders)
        poll(client, id_, status="pending")
        assert gateway.is_ready()
        for holder in holders:
            holder.connection.setblocking(True)
            holder.connection.settimeout(LIMIT_SECONDS)
            try:
                assert holder.connection.recv(100) == b"", "and they are cut off without a word"
            except ConnectionResetError:
                continue
        assert client.get(f"/contracts/{id_}").status_code == 200


def answered(gateway: Gateway) -> float:
    """How many polls it has answered."""
    return gateway.metric("dealguard_gateway_request_duration_seconds_count", route="/contracts/{id}", method="GET")
