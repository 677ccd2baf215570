"""The instances of the cluster on this machine: made by name, found again by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dealguard_cluster import addresses
from dealguard_cluster.errors import ClusterError, MachineUnfitError
from dealguard_cluster.layout import Layout, cache_root, check_name, run_root, state_root, subnet
from dealguard_cluster.locks import locked

if TYPE_CHECKING:
    from collections.abc import Iterable


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
        raise ClusterError(f"There is no cluster named {name!r}; `make cluster-up` starts one.")
    return _layout(name, recorded[name])


def create_or_load(name: str) -> Layout:
    """The layout of an instance, which gets a number and its folder if it is new.

    Raises:
        MachineUnfitError: its network is in use on this machine.
    """
    check_name(name)
    with locked(state_root() / "instances.lock"):
        recorded = addresses.recorded_indexes(state_root())
        index = recorded.get(name)
        if index is None:
            index = addresses.choose_index(name, _taken(recorded.values()))
        layout = _layout(name, index)
        _refuse_conflict(layout)
        layout.state.mkdir(parents=True, exist_ok=True, mode=0o711)
        (layout.state / "index").write_text(str(index), encoding="ascii")
    return layout


def _layout(name: str, index: int) -> Layout:
    return Layout(
        name=name,
        index=index,
        state=state_root() / name,
        run=run_root() / name,
        cache=cache_root(),
        subnet=subnet(),
    )


def _taken(recorded: Iterable[int]) -> set[int]:
    return set(recorded) | addresses.indexes_of_interfaces()


def _refuse_conflict(layout: Layout) -> None:
    conflict = addresses.conflicting_route(
        layout.link_network, layout.host_interface, addresses.routes_of_this_machine()
    )
    if conflict:
        raise MachineUnfitError(
            f"This machine already routes {conflict}, which overlaps with {layout.link_network} of the local cluster; "
            "set DEALGUARD_CLUSTER_SUBNET to a free /16 such as 10.251.0.0/16 and try again."
        )
