"""What the local cluster's programs are told: complete, readable for them, and without secrets in arguments."""

import configparser
import json
import tomllib
from pathlib import Path

import pytest
import yaml

from dealguard_cluster import components as programs
from dealguard_cluster import configs
from dealguard_cluster.binaries import Binaries
from dealguard_cluster.layout import Layout
from tests.unit.cluster_layouts import layout_of

BINARIES = Binaries(
    Path("/cache/k"), Path("/cache/etcd"), Path("/cache/minio"), Path("/cache/h"), Path("/cache/p"), "v1"
)


@pytest.fixture
def layout() -> Layout:
    return layout_of("dealguard-test", 1)


@pytest.fixture
def files(layout: Layout) -> dict[str, str]:
    components = programs.components(layout, BINARIES)
    return configs.node_files(layout, components, pause_image="localhost/pause:1", snapshotter="overlayfs")


def test_containerd(files: dict[str, str], layout: Layout) -> None:
    config = tomllib.loads(files["containerd.toml"])
    cri = config["plugins"]["io.containerd.grpc.v1.cri"]
    assert config["grpc"]["address"] == str(layout.containerd_socket)
    assert config["root"].startswith(str(layout.state))
    assert (cri["sandbox_image"], cri["containerd"]["snapshotter"]) == ("localhost/pause:1", "overlayfs")
    assert cri["cni"]["conf_dir"] == str(layout.config / "cni"), "the machine's own /etc/cni is none of our business"


def test_kubelet_and_kube_proxy(files: dict[str, str], layout: Layout) -> None:
    kubelet, proxy = yaml.safe_load(files["kubelet.yaml"]), yaml.safe_load(files["kube-proxy.yaml"])
    assert kubelet["cgroupRoot"] == f"/{layout.cgroup}"
    assert kubelet["authentication"]["anonymous"]["enabled"] is False
    assert kubelet["clusterDNS"] == [layout.resolver_address]
    assert kubelet["address"] == proxy["bindAddress"] == layout.node_address
    assert proxy["conntrack"]["maxPerCore"] == 0, "its limit is the whole machine's"


def test_pod_network_is_json(files: dict[str, str]) -> None:
    assert json.loads(files["cni/10-dealguard.conflist"])["plugins"][0]["type"] == "ptp"


def test_every_program_is_supervised(files: dict[str, str], layout: Layout) -> None:
    config = configparser.RawConfigParser()
    config.read_string(files["supervisord.conf"])
    for component in programs.components(layout, BINARIES):
        section = config[f"program:{component.name}"]
        assert section["command"].startswith(component.argv[0])
        assert section["autorestart"] == "true"
        assert section["stdout_logfile"] == str(layout.log_of(component.name))
        assert section["stdout_logfile_maxbytes"] != "0", "a log without a limit fills the disk"


def test_order_of_start_and_stop(layout: Layout) -> None:
    """supervisord stops in the reverse order: kubelet goes first, etcd stays until nobody writes to it."""
    order = {component.name: component.order for component in programs.components(layout, BINARIES)}
    assert order["etcd"] < order["kube-apiserver"] < order["kube-controller-manager"] < order["kubelet"]
    assert order["containerd"] < order["kubelet"]


def test_without_a_tun_device_there_is_no_uplink(layout: Layout) -> None:
    names = [component.name for component in programs.components(layout, BINARIES, uplink=False)]
    assert "slirp4netns" not in names
    assert "kubelet" in names


def test_everything_listens_on_the_node_only(layout: Layout) -> None:
    """An address of all interfaces would be fine in a namespace, until someone runs it elsewhere."""
    for component in programs.components(layout, BINARIES):
        assert not [word for word in component.argv if "0.0.0.0" in word], component.name


def test_changed_files_are_noticed(files: dict[str, str], layout: Layout, tmp_path: Path) -> None:
    here = Layout(layout.name, layout.index, tmp_path, tmp_path, tmp_path, layout.subnet)
    assert not configs.are_written(here, files)
    configs.write(here, files)
    assert configs.are_written(here, files)
    assert not configs.are_written(here, {**files, "kubelet.yaml": "other"})
    assert (here.config / "kubelet.yaml").stat().st_mode & 0o077 == 0


def test_a_percent_sign_reaches_the_program(layout: Layout) -> None:
    """supervisord expands %(ENV_X)s in commands and environments."""
    component = programs.Component("x", 1, ("/bin/x", "--at=50%"), None, (("SHARE", "10%"),))
    config = configparser.RawConfigParser()
    config.read_string(configs.supervisor_programs(layout, [component]))
    assert config["program:x"]["command"] == "/bin/x --at=50%%"
    assert config["program:x"]["environment"] == 'SHARE="10%%"'
