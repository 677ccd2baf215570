"""The instances of the cluster on this machine: made by name, found again by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dealguard_cluster import addresses
from dealguard_cluster.errors import ClusterError, MachineUnfitError
from dealguard_cluster.layout import Layout, cache_root, check_name, run_root, start_command, state_root, subnet
from dealguard_cluster.locks import locked

if TYPE_CHECKING:
    import ipaddress
    from collections.abc import Iterable

    from dealguard_cluster.console import Console


def exists(name: str) -> bool:
    """Whether the instance has state on this machine."""
    return (state_root() / check_name(name) / "index").exists()


def load(name: str) -> Layout:
    """The layout of an instance that has been made.

    Raises:
        ClusterError: there is no such instance.
    """
    recorded = addresses.recorded_indexes(state_root())
    if check_name(name) not in recorded:
        raise ClusterError(f"There is no cluster named {name!r}; {start_command(name)} starts one.")
    return _layout(name, recorded[name], addresses.recorded_subnet(state_root() / name) or subnet())


def create_or_load(name: str, console: Console) -> Layout:
    """The layout of an instance, which gets a number and its folder if it is new.

    Its subnet is recorded with the number; `$DEALGUARD_CLUSTER_SUBNET` moves it to another one.

    Raises:
        MachineUnfitError: its network is in use on this machine.
    """
    check_name(name)
    with locked(state_root() / "instances.lock", console):
        recorded = addresses.recorded_indexes(state_root())
        index = recorded.get(name)
        if index is None:
            index = addresses.choose_index(name, _taken(recorded.values()))
        layout = _layout(name, index, subnet(addresses.recorded_subnet(state_root() / name)))
        _refuse_conflict(layout)
        layout.state.mkdir(parents=True, exist_ok=True, mode=0o711)
        (layout.state / "subnet").write_text(str(layout.subnet), encoding="ascii")
        (layout.state / "index").write_text(str(index), encoding="ascii")
    return layout


def other_state(name: str) -> Path | None:
    """The data folder of the node that was last started under this name, if that is not the one we would use."""
    record = run_root() / check_name(name) / "state"
    if not record.exists():
        return None
    folder = Path(record.read_text())
    return None if folder == state_root() / name else folder


def _layout(name: str, index: int, network: ipaddress.IPv4Network) -> Layout:
    return Layout(
        name=name,
        index=index,
        state=state_root() / name,
        run=run_root() / name,
        cache=cache_root(),
        subnet=network,
    )


def _taken(recorded: Iterable[int]) -> set[int]:
    return set(recorded) | addresses.indexes_of_interfaces()


def _refuse_conflict(layout: Layout) -> None:
    routes = addresses.routes_of_this_machine()
    conflict = addresses.conflicting_route(layout.link_network, layout.host_interface, routes)
    if conflict:
        free = addresses.free_subnet(routes)
        suggestion = f", such as {free}," if free else ""
        raise MachineUnfitError(
            f"This machine already routes {conflict}, which overlaps with {layout.link_network} of the local cluster; "
            f"set DEALGUARD_CLUSTER_SUBNET to a /16 that it does not route{suggestion} and try again."
        )
