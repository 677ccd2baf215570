"""Which number, and so which /30 and interface name, an instance has on this machine."""

from __future__ import annotations

import ipaddress
import json
import re
import socket
from typing import TYPE_CHECKING

from dealguard_cluster.commands import run
from dealguard_cluster.errors import MachineUnfitError
from dealguard_cluster.layout import DEFAULT_NAME, POD_CIDR, SERVICE_CIDR

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

MAX_INDEX = 255

# What is suggested where a machine routes the default: private networks, the rarely used first.
SUGGESTED_SUBNETS = (
    *(f"10.{number}.0.0/16" for number in (*range(251, 256), *range(249, 200, -1))),
    *(f"172.{number}.0.0/16" for number in range(31, 15, -1)),
    "192.168.0.0/16",
)


def choose_index(name: str, taken: Collection[int]) -> int:
    """The number for a new instance: 0 is kept for the default one, the others get the next free one.

    Args:
        taken: numbers of other instances, and of interfaces named like ours that are not ours.

    Raises:
        MachineUnfitError: none is free.
    """
    candidates = range(1) if name == DEFAULT_NAME else range(1, MAX_INDEX + 1)
    for index in candidates:
        if index not in taken:
            return index
    raise MachineUnfitError(
        "No network is free for another local cluster; end one that is not needed any more with "
        "`python -m dealguard_cluster --name NAME delete`."
    )


def recorded_indexes(state_root: Path) -> dict[str, int]:
    """The number of every instance that has state, by its name."""
    found: dict[str, int] = {}
    for file in state_root.glob("*/index"):
        text = file.read_text(encoding="ascii").strip()
        if text.isdigit():
            found[file.parent.name] = int(text)
    return found


def recorded_subnet(state: Path) -> ipaddress.IPv4Network | None:
    """The /16 that an instance was last started with; None if none is recorded."""
    try:
        return ipaddress.IPv4Network((state / "subnet").read_text(encoding="ascii").strip())
    except (FileNotFoundError, ValueError):
        return None


def free_subnet(routes: Iterable[dict[str, object]]) -> str | None:
    """A /16 that overlaps with none of the machine's routes; None if none of those that we know is free."""
    ours: list[dict[str, object]] = [{"dst": POD_CIDR}, {"dst": SERVICE_CIDR}]
    known = [*routes, *ours]
    return next(
        (text for text in SUGGESTED_SUBNETS if not conflicting_route(ipaddress.IPv4Network(text), "", known)), None
    )


def conflicting_route(
    network: ipaddress.IPv4Network, own_interface: str, routes: Iterable[dict[str, object]]
) -> str | None:
    """The first of the machine's routes that overlaps with our network, or None.

    Args:
        routes: as `ip -json route` gives them. The default route is no conflict.
    """
    for route in routes:
        destination = str(route.get("dst", "default"))
        if destination == "default" or route.get("dev") == own_interface:
            continue
        try:
            other = ipaddress.ip_network(destination, strict=False)
        except ValueError:
            continue
        if isinstance(other, ipaddress.IPv4Network) and other.prefixlen > 0 and other.overlaps(network):
            return f"{destination} (interface {route.get('dev')})"
    return None


def routes_of_this_machine() -> list[dict[str, object]]:
    """The machine's IPv4 routes as `ip -json route` gives them."""
    found: list[dict[str, object]] = json.loads(run(["ip", "-json", "-4", "route"], what="read the routes") or "[]")
    return found


def indexes_of_interfaces() -> set[int]:
    """The numbers of all interfaces on this machine that are named like ours (`dg3`)."""
    names = (name for _, name in socket.if_nameindex())
    return {int(name[2:]) for name in names if re.fullmatch(r"dg\d{1,3}", name)}
