"""Where everything of the cluster lies: folders on disk and addresses on the network. No I/O."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path

from dealguard_cluster.errors import MachineUnfitError

DEFAULT_NAME = "dealguard"
DEFAULT_SUBNET = "10.250.0.0/16"
POD_CIDR = "10.244.0.0/16"
NODE_POD_CIDR = "10.244.0.0/24"
SERVICE_CIDR = "10.96.0.0/16"
BUCKET = "dealguard"
REGION = "us-east-1"

UPLINK_INTERFACE = "tap0"
# The host's network namespace, at this path within the node's mounts.
HOST_NETWORK = "/run/host-network"

API_SERVER_PORT = 6443
MINIO_PORT = 9000

# A DNS label (it becomes the node's and the context's name) that leaves room in the path of a Unix socket, whose
# length the kernel limits to 107 bytes.
NAME_PATTERN = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


def cache_root() -> Path:
    """The folder of everything that can be built again: `$DEALGUARD_CACHE` or `~/.cache/dealguard`."""
    return Path(os.environ.get("DEALGUARD_CACHE") or Path.home() / ".cache" / "dealguard").absolute()


def state_root() -> Path:
    """The folder of all instances' data: `$DEALGUARD_STATE` or `/var/lib/dealguard`."""
    return Path(os.environ.get("DEALGUARD_STATE") or "/var/lib/dealguard").absolute()


def run_root() -> Path:
    """The folder of all instances' sockets; short on purpose, see `NAME_PATTERN`."""
    return Path("/run/dealguard")


def subnet(recorded: ipaddress.IPv4Network | None = None) -> ipaddress.IPv4Network:
    """The /16 that the instances' links to the host are cut from: `$DEALGUARD_CLUSTER_SUBNET`.

    Args:
        recorded: the one that an instance has, which it keeps unless the variable is set.

    Raises:
        MachineUnfitError: the variable is set to something that is not an IPv4 /16.
    """
    text = os.environ.get("DEALGUARD_CLUSTER_SUBNET") or str(recorded or DEFAULT_SUBNET)
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise MachineUnfitError(
            f"DEALGUARD_CLUSTER_SUBNET is {text!r}, which is no IPv4 network; set it to a free /16 such as "
            f"{DEFAULT_SUBNET}."
        ) from error
    if network.prefixlen != 16:
        raise MachineUnfitError(
            f"DEALGUARD_CLUSTER_SUBNET is {text!r}, but the cluster needs a /16; set it to one, such as "
            f"{DEFAULT_SUBNET}."
        )
    return network


def cgroup_of(name: str) -> str:
    """The control group of everything in an instance's node, without a leading slash."""
    return f"dealguard-{name}"


def start_command(name: str) -> str:
    """What starts an instance, for messages."""
    return "`make cluster-up`" if name == DEFAULT_NAME else f"`python -m dealguard_cluster --name {name} up`"


def check_name(name: str) -> str:
    """Return the name of an instance if it is a valid one, else raise MachineUnfitError."""
    if not NAME_PATTERN.fullmatch(name):
        raise MachineUnfitError(
            f"{name!r} cannot name a cluster; use at most 40 lowercase letters, digits and hyphens, such as "
            "'dealguard-2'."
        )
    return name


@dataclass(frozen=True)
class Layout:
    """One instance's folders and addresses.

    `index` numbers the instances on this machine: the link to the host is the index-th /30 of `subnet`.
    """

    name: str
    index: int
    state: Path
    run: Path
    cache: Path
    subnet: ipaddress.IPv4Network

    @property
    def link_network(self) -> ipaddress.IPv4Network:
        """The /30 between the host and the node."""
        return ipaddress.IPv4Network((int(self.subnet.network_address) + 256 * self.index, 30))

    @property
    def host_address(self) -> str:
        """The host's end of the link: a server on the host that listens here can be reached by pods."""
        return str(self.link_network[1])

    @property
    def node_address(self) -> str:
        """The node's end of the link: all servers of the cluster listen here."""
        return str(self.link_network[2])

    @property
    def uplink_network(self) -> ipaddress.IPv4Network:
        """The /25 that slirp4netns plays the gateway and the DNS server of; it exists only inside the node."""
        return ipaddress.IPv4Network((int(self.link_network.network_address) + 128, 25))

    @property
    def resolver_address(self) -> str:
        """The DNS server that slirp4netns plays: it asks the host's."""
        return str(self.uplink_network[3])

    @property
    def host_interface(self) -> str:
        """The name of the link's end on the host."""
        return f"dg{self.index}"

    @property
    def cgroup(self) -> str:
        """The control group of everything in the node, without a leading slash."""
        return cgroup_of(self.name)

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.state / "pki"

    @property
    def kubeconfigs(self) -> Path:
        """The components' kubeconfigs."""
        return self.pki / "kubeconfig"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig for people and tests; its path stays the same for the life of the instance."""
        return self.state / "kubeconfig"

    @property
    def kubectl_cache(self) -> Path:
        """What kubectl and helm keep of the kinds that the API server serves."""
        return self.state / "kubectl-cache"

    @property
    def config(self) -> Path:
        """Rendered configuration files."""
        return self.state / "config"

    @property
    def logs(self) -> Path:
        """One log file a component, and the pods' own logs."""
        return self.state / "logs"

    @property
    def containerd_root(self) -> Path:
        """Images and snapshots; what `up --fresh` keeps."""
        return self.state / "containerd"

    @property
    def containerd_socket(self) -> Path:
        """containerd's socket, usable from the host too."""
        return self.run / "containerd.sock"

    @property
    def supervisor_socket(self) -> Path:
        """supervisord's socket, usable from the host too."""
        return self.run / "supervisor.sock"

    @property
    def storage_credentials(self) -> Path:
        """MinIO's environment file with its generated root user and password."""
        return self.state / "minio.env"

    @property
    def api_server_url(self) -> str:
        """The API server, from the host and from pods."""
        return f"https://{self.node_address}:{API_SERVER_PORT}"

    @property
    def storage_url(self) -> str:
        """MinIO, from the host and from pods."""
        return f"http://{self.node_address}:{MINIO_PORT}"

    def log_of(self, component: str) -> Path:
        """The log file of a component."""
        return self.logs / f"{component}.log"
