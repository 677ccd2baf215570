"""Names, folders and addresses of local clusters: many of them side by side, none of them in another's way."""

import ipaddress
from pathlib import Path

import pytest

from dealguard_cluster import instances, pki
from dealguard_cluster.addresses import choose_index, conflicting_route, free_subnet, recorded_indexes
from dealguard_cluster.errors import MachineUnfitError
from dealguard_cluster.layout import cache_root, check_name, state_root, subnet
from tests.unit.cluster_layouts import layout_of


@pytest.mark.parametrize(
    ("index", "base", "host", "node", "uplink"),
    [
        (0, "10.250.0.0/16", "10.250.0.1", "10.250.0.2", "10.250.0.128/25"),
        (3, "10.250.0.0/16", "10.250.3.1", "10.250.3.2", "10.250.3.128/25"),
        (255, "172.20.0.0/16", "172.20.255.1", "172.20.255.2", "172.20.255.128/25"),
    ],
    ids=["the default instance", "another instance", "the last one of another network"],
)
def test_addresses(index: int, base: str, host: str, node: str, uplink: str) -> None:
    layout = layout_of(index=index, base=base)
    assert (layout.host_address, layout.node_address, str(layout.uplink_network)) == (host, node, uplink)
    assert not layout.link_network.overlaps(layout.uplink_network)


def test_instances_share_nothing() -> None:
    one, other = layout_of("dealguard", 0), layout_of("dealguard-test", 1)
    for attribute in ("state", "cgroup", "host_interface", "node_address", "storage_url", "kubeconfig", "pki"):
        assert getattr(one, attribute) != getattr(other, attribute), attribute


@pytest.mark.parametrize(
    ("name", "taken", "index"),
    [
        ("dealguard", set(), 0),
        ("dealguard", {1, 2}, 0),
        ("dealguard-test", set(), 1),
        ("dealguard-test", {0, 1, 3}, 2),
    ],
    ids=["the default is 0", "others do not move it", "0 is kept for the default", "the first gap"],
)
def test_index_of_a_new_instance(name: str, taken: set[int], index: int) -> None:
    assert choose_index(name, taken) == index


@pytest.mark.parametrize(("name", "taken"), [("dealguard", {0}), ("dealguard-test", set(range(256)))])
def test_no_index_free(name: str, taken: set[int]) -> None:
    with pytest.raises(MachineUnfitError, match="dealguard_cluster --name NAME delete"):
        choose_index(name, taken)


def test_indexes_are_read_back(tmp_path: Path) -> None:
    for name, text in (("dealguard", "0"), ("dealguard-test", "1\n"), ("broken", "?")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index").write_text(text)
    assert recorded_indexes(tmp_path) == {"dealguard": 0, "dealguard-test": 1}


@pytest.mark.parametrize(
    ("route", "conflicts"),
    [
        ({"dst": "10.250.0.0/24", "dev": "tun0"}, True),
        ({"dst": "10.0.0.0/8", "dev": "eth0"}, True),
        ({"dst": "10.250.0.2", "dev": "eth0"}, True),
        ({"dst": "default", "dev": "eth0"}, False),
        ({"dst": "10.250.1.0/30", "dev": "dg1"}, False),
        ({"dst": "10.250.0.0/30", "dev": "dg0"}, False),
        ({"dst": "192.0.2.0/24", "dev": "eth0"}, False),
    ],
    ids=["a VPN", "a company network", "one host", "the way out", "another instance", "our own link", "elsewhere"],
)
def test_conflicting_route(route: dict[str, object], conflicts: bool) -> None:
    layout = layout_of()
    found = conflicting_route(layout.link_network, layout.host_interface, [route])
    assert (found is not None) == conflicts
    assert not found or str(route["dev"]) in found, "a person must be able to find it"


@pytest.mark.parametrize(
    "name", ["", "Dealguard", "-a", "a-", "a_b", "a/b", "..", "a" * 41], ids=lambda name: repr(name)[:12]
)
def test_bad_names(name: str) -> None:
    with pytest.raises(MachineUnfitError, match="lowercase letters"):
        check_name(name)


@pytest.mark.parametrize("value", ["10.250.0.0/24", "10.250.0.1/16", "fd00::/16", "here"])
def test_bad_subnet(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALGUARD_CLUSTER_SUBNET", value)
    with pytest.raises(MachineUnfitError, match=r"DEALGUARD_CLUSTER_SUBNET.*such as\s+10\.250\.0\.0/16"):
        subnet()


@pytest.mark.parametrize(
    ("variable", "recorded", "network"),
    [
        (None, None, "10.250.0.0/16"),
        (None, "10.77.0.0/16", "10.77.0.0/16"),
        ("10.88.0.0/16", None, "10.88.0.0/16"),
        ("10.88.0.0/16", "10.77.0.0/16", "10.88.0.0/16"),
    ],
    ids=["the default", "the recorded one", "the variable", "the variable moves an instance"],
)
def test_subnet_of_the_next_start(
    variable: str | None, recorded: str | None, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEALGUARD_CLUSTER_SUBNET", raising=False)
    if variable:
        monkeypatch.setenv("DEALGUARD_CLUSTER_SUBNET", variable)
    assert str(subnet(ipaddress.IPv4Network(recorded) if recorded else None)) == network


@pytest.mark.parametrize(
    ("recorded", "node"),
    [("10.77.0.0/16", "10.77.3.2"), (None, "10.88.3.2"), ("broken", "10.88.3.2")],
    ids=["recorded", "made before subnets were recorded", "nothing to read"],
)
def test_an_instance_keeps_its_subnet(
    recorded: str | None, node: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until its next start: `down`, `status` and `env` must find what runs, whatever the variable says."""
    monkeypatch.setenv("DEALGUARD_STATE", str(tmp_path))
    monkeypatch.setenv("DEALGUARD_CLUSTER_SUBNET", "10.88.0.0/16")
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "index").write_text("3")
    if recorded:
        (tmp_path / "one" / "subnet").write_text(recorded)
    assert instances.load("one").node_address == node


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("localAPIEndpoint:\n  advertiseAddress: 10.250.0.2\n", True),
        ("localAPIEndpoint:\n  advertiseAddress: 10.250.0.20\n", False),
        ("localAPIEndpoint:\n  advertiseAddress: 10.77.0.2\n", False),
        (None, False),
    ],
    ids=["the same", "a longer one", "of another subnet", "never made"],
)
def test_certificates_are_for_one_address(text: str | None, expected: bool, tmp_path: Path) -> None:
    if text:
        (tmp_path / "kubeadm.yaml").write_text(text)
    assert pki.is_for_address(tmp_path / "kubeadm.yaml", "10.250.0.2") == expected


@pytest.mark.parametrize(
    ("destinations", "free"),
    [
        (["default", "10.250.0.0/24"], "10.251.0.0/16"),
        (["10.251.3.0/24"], "10.252.0.0/16"),
        (["10.0.0.0/8"], "172.31.0.0/16"),
        (["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], None),
    ],
    ids=["the next", "that is taken too", "a company network", "none"],
)
def test_suggested_subnet_is_free(destinations: list[str], free: str | None) -> None:
    assert free_subnet([{"dst": destination, "dev": "eth0"} for destination in destinations]) == free


def test_relative_folders_are_those_of_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The node's own processes start elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEALGUARD_STATE", "state")
    monkeypatch.setenv("DEALGUARD_CACHE", "./cache")
    assert (state_root(), cache_root()) == (tmp_path / "state", tmp_path / "cache")
