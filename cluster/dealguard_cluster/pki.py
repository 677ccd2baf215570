"""Certificates and kubeconfigs of a node, made by kubeadm."""

from __future__ import annotations

import base64
import json
import shutil
from typing import TYPE_CHECKING

from dealguard_cluster.commands import run
from dealguard_cluster.configs import render
from dealguard_cluster.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

    from dealguard_cluster.binaries import Binaries


def ensure(layout: Layout, binaries: Binaries) -> bool:
    """Make the certificates and kubeconfigs unless they are there; return whether they were made.

    They outlive `up --fresh`, so that a kubeconfig that someone has loaded stays valid, and end with the address that
    they are made for.
    """
    config = layout.pki / "kubeadm.yaml"
    if layout.kubeconfig.exists() and is_for_address(config, layout.node_address):
        return False
    layout.kubeconfig.unlink(missing_ok=True)
    shutil.rmtree(layout.pki, ignore_errors=True)
    layout.pki.mkdir(parents=True, mode=0o700)
    kubeadm = binaries.kube("kubeadm")
    config.write_text(render("kubeadm.yaml", layout, kubernetes_version=binaries.kubernetes_version))
    run([kubeadm, "init", "phase", "certs", "all", f"--config={config}"], what="create the certificates")
    run(
        [kubeadm, "init", "phase", "kubeconfig", "all", f"--config={config}", f"--kubeconfig-dir={layout.kubeconfigs}"],
        what="create the kubeconfigs",
    )
    _write_kube_proxy_kubeconfig(layout, kubeadm, config)
    _write_user_kubeconfig(layout, binaries.kube("kubectl"))
    return True


def is_for_address(config: Path, node_address: str) -> bool:
    """Whether kubeadm's configuration, and so what was made from it, is for a node of this address."""
    return config.exists() and f"advertiseAddress: {node_address}\n" in config.read_text()


def bind_administrators(layout: Layout, binaries: Binaries) -> None:
    """Give kubeadm's administrators their rights, as `kubeadm init` does; the API server needs them for `kubectl logs`.

    Only super-admin.conf (group system:masters) has rights in an empty etcd.
    """
    kubectl = [str(binaries.kube("kubectl")), f"--kubeconfig={layout.kubeconfigs / 'super-admin.conf'}"]
    binding = ["clusterrolebinding", "kubeadm:cluster-admins"]
    if run([*kubectl, "get", *binding, "--ignore-not-found"], what="read the administrators' rights"):
        return
    run(
        [*kubectl, "create", *binding, "--clusterrole=cluster-admin", "--group=kubeadm:cluster-admins"],
        what="give the administrators their rights",
    )


def _write_kube_proxy_kubeconfig(layout: Layout, kubeadm: Path, config: Path) -> None:
    text = run(
        [kubeadm, "kubeconfig", "user", f"--config={config}", "--client-name=system:kube-proxy"],
        what="create kube-proxy's kubeconfig",
    )
    target = layout.kubeconfigs / "kube-proxy.conf"
    target.touch(mode=0o600)
    target.write_text(text)


def _write_user_kubeconfig(layout: Layout, kubectl: Path) -> None:
    """Write the kubeconfig for people, its context named like the instance, and its key pair for our own requests."""
    partial = layout.state / "kubeconfig.partial"
    shutil.copyfile(layout.kubeconfigs / "admin.conf", partial)
    partial.chmod(0o600)
    kubeconfig = [str(kubectl), "config", f"--kubeconfig={partial}"]
    old = run([*kubeconfig, "current-context"], what="read the kubeconfig").strip()
    run([*kubeconfig, "rename-context", old, layout.name], what="name the kubeconfig's context")
    user = json.loads(run([*kubeconfig, "view", "--raw", "-o", "json"], what="read the kubeconfig"))["users"][0]["user"]
    for file, field in (("admin.crt", "client-certificate-data"), ("admin.key", "client-key-data")):
        (layout.pki / file).touch(mode=0o600)
        (layout.pki / file).write_bytes(base64.b64decode(user[field]))
    partial.rename(layout.kubeconfig)
