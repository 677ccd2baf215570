"""The programs of a node: their command lines, their order and how their health is asked. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dealguard_cluster.layout import (
    API_SERVER_PORT,
    HOST_NETWORK,
    MINIO_PORT,
    POD_CIDR,
    REGION,
    SERVICE_CIDR,
    UPLINK_INTERFACE,
    Layout,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dealguard_cluster.binaries import Binaries

# The stronger ciphers and HTTP/2 are Go's defaults; only what differs from a component's default is said here.


@dataclass(frozen=True)
class Component:
    """One supervised program.

    `order` is supervisord's priority: lower starts earlier and stops later. `health_url` answers 200 when it is well;
    `unix://` is containerd's socket, which has a protocol of its own; None is a program that has no way to tell: it is
    well if it runs.
    """

    name: str
    order: int
    argv: tuple[str, ...]
    health_url: str | None
    environment: tuple[tuple[str, str], ...] = ()


def components(layout: Layout, binaries: Binaries, *, uplink: bool = True) -> tuple[Component, ...]:
    """All programs of a node, in the order in which they start.

    Args:
        uplink: whether pods get a way out of the node; it needs the kernel's TUN device.
    """
    return (
        *([_uplink(layout)] if uplink else []),
        _etcd(layout, binaries.etcd),
        _containerd(layout),
        _minio(layout, binaries.minio),
        _api_server(layout, binaries.kube("kube-apiserver")),
        _controller_manager(layout, binaries.kube("kube-controller-manager")),
        _scheduler(layout, binaries.kube("kube-scheduler")),
        _kube_proxy(layout, binaries.kube("kube-proxy")),
        _kubelet(layout, binaries.kube("kubelet")),
    )


def with_arguments(programs: tuple[Component, ...], more: Mapping[str, Sequence[str]]) -> tuple[Component, ...]:
    """The same programs, those named in `more` with these arguments after their own."""
    return tuple(replace(program, argv=(*program.argv, *more.get(program.name, ()))) for program in programs)


def _uplink(layout: Layout) -> Component:
    """The way out for pods, in user space: nothing on the host is set up to forward or to translate for them.

    It lives in the host's network namespace and in the node's process namespace, so it ends with the node.
    """
    return Component(
        name="slirp4netns",
        order=5,
        argv=(
            "/usr/bin/nsenter",
            f"--net={HOST_NETWORK}",
            "/usr/bin/slirp4netns",
            "--configure",
            "--mtu=65520",
            "--disable-host-loopback",
            f"--cidr={layout.uplink_network}",
            "1",
            UPLINK_INTERFACE,
        ),
        health_url=None,
    )


def _etcd(layout: Layout, program: Path) -> Component:
    pki = layout.pki / "etcd"
    client, peer = f"https://{layout.node_address}:2379", f"https://{layout.node_address}:2380"
    metrics = f"http://{layout.node_address}:2381"
    return Component(
        name="etcd",
        order=10,
        argv=(
            str(program),
            f"--name={layout.name}",
            f"--data-dir={layout.state / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster={layout.name}={peer}",
            f"--listen-metrics-urls={metrics}",
            "--client-cert-auth=true",
            f"--trusted-ca-file={pki / 'ca.crt'}",
            f"--cert-file={pki / 'server.crt'}",
            f"--key-file={pki / 'server.key'}",
            "--peer-client-cert-auth=true",
            f"--peer-trusted-ca-file={pki / 'ca.crt'}",
            f"--peer-cert-file={pki / 'peer.crt'}",
            f"--peer-key-file={pki / 'peer.key'}",
            "--snapshot-count=10000",
            "--logger=zap",
            "--log-level=warn",
        ),
        health_url=f"{metrics}/health",
    )


def _containerd(layout: Layout) -> Component:
    return Component(
        name="containerd",
        order=20,
        argv=("/usr/bin/containerd", f"--config={layout.config / 'containerd.toml'}"),
        health_url=f"unix://{layout.containerd_socket}",
    )


def _minio(layout: Layout, program: Path) -> Component:
    return Component(
        name="minio",
        order=30,
        argv=(
            str(program),
            "server",
            "--quiet",  # its banner prints the credentials
            f"--address={layout.node_address}:{MINIO_PORT}",
            str(layout.state / "minio"),
        ),
        health_url=f"{layout.storage_url}/minio/health/ready",
        environment=(
            ("MINIO_CONFIG_ENV_FILE", str(layout.storage_credentials)),
            ("MINIO_BROWSER", "off"),
            ("MINIO_UPDATE", "off"),
            ("MINIO_SITE_REGION", REGION),
        ),
    )


def _api_server(layout: Layout, program: Path) -> Component:
    pki = layout.pki
    return Component(
        name="kube-apiserver",
        order=40,
        argv=(
            str(program),
            f"--advertise-address={layout.node_address}",
            f"--bind-address={layout.node_address}",
            f"--secure-port={API_SERVER_PORT}",
            f"--tls-cert-file={pki / 'apiserver.crt'}",
            f"--tls-private-key-file={pki / 'apiserver.key'}",
            f"--client-ca-file={pki / 'ca.crt'}",
            f"--etcd-servers=https://{layout.node_address}:2379",
            f"--etcd-cafile={pki / 'etcd' / 'ca.crt'}",
            f"--etcd-certfile={pki / 'apiserver-etcd-client.crt'}",
            f"--etcd-keyfile={pki / 'apiserver-etcd-client.key'}",
            f"--kubelet-client-certificate={pki / 'apiserver-kubelet-client.crt'}",
            f"--kubelet-client-key={pki / 'apiserver-kubelet-client.key'}",
            "--kubelet-preferred-address-types=InternalIP",  # the node's name resolves nowhere
            f"--proxy-client-cert-file={pki / 'front-proxy-client.crt'}",
            f"--proxy-client-key-file={pki / 'front-proxy-client.key'}",
            f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            f"--service-cluster-ip-range={SERVICE_CIDR}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki / 'sa.pub'}",
            f"--service-account-signing-key-file={pki / 'sa.key'}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--profiling=false",
        ),
        # It has most of the machine's work here, a quarter of it collecting garbage: half that, for more memory.
        environment=(("GOGC", "200"),),
        health_url=f"{layout.api_server_url}/readyz",
    )


def _controller_manager(layout: Layout, program: Path) -> Component:
    pki, kubeconfig = layout.pki, layout.kubeconfigs / "controller-manager.conf"
    return Component(
        name="kube-controller-manager",
        order=50,
        argv=(
            str(program),
            f"--bind-address={layout.node_address}",
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            f"--client-ca-file={pki / 'ca.crt'}",
            f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
            f"--root-ca-file={pki / 'ca.crt'}",
            f"--service-account-private-key-file={pki / 'sa.key'}",
            f"--cluster-signing-cert-file={pki / 'ca.crt'}",
            f"--cluster-signing-key-file={pki / 'ca.key'}",
            f"--cluster-name={layout.name}",
            f"--cluster-cidr={POD_CIDR}",
            "--use-service-account-credentials=true",
            "--leader-elect=false",  # there is one; a killed one need not wait for its own lease
            "--profiling=false",
        ),
        health_url=f"https://{layout.node_address}:10257/healthz",
    )


def _scheduler(layout: Layout, program: Path) -> Component:
    kubeconfig = layout.kubeconfigs / "scheduler.conf"
    return Component(
        name="kube-scheduler",
        order=50,
        argv=(
            str(program),
            f"--bind-address={layout.node_address}",
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--leader-elect=false",
            "--profiling=false",
        ),
        health_url=f"https://{layout.node_address}:10259/healthz",
    )


def _kube_proxy(layout: Layout, program: Path) -> Component:
    return Component(
        name="kube-proxy",
        order=60,
        argv=(str(program), f"--config={layout.config / 'kube-proxy.yaml'}"),
        health_url=f"http://{layout.node_address}:10256/healthz",
    )


def _kubelet(layout: Layout, program: Path) -> Component:
    return Component(
        name="kubelet",
        order=70,
        argv=(
            str(program),
            f"--config={layout.config / 'kubelet.yaml'}",
            f"--kubeconfig={layout.kubeconfigs / 'kubelet.conf'}",
            f"--hostname-override={layout.name}",
            f"--node-ip={layout.node_address}",
        ),
        health_url=f"http://{layout.node_address}:10248/healthz",
    )
