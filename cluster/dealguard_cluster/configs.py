"""The node's configuration files, rendered from `templates/` into the instance's state."""

from __future__ import annotations

import configparser
import io
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

from dealguard_cluster.layout import API_SERVER_PORT, NODE_POD_CIDR, POD_CIDR, SERVICE_CIDR, UPLINK_INTERFACE, Layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dealguard_cluster.components import Component

NODE_FILES = {
    "containerd.toml": "containerd.toml",
    "cni.conflist": "cni/10-dealguard.conflist",
    "kubelet.yaml": "kubelet.yaml",
    "kube-proxy.yaml": "kube-proxy.yaml",
    "node.nft": "node.nft",
}


def render(template: str, layout: Layout, **more: str) -> str:
    """Fill one of the package's templates.

    Raises:
        KeyError: the template names something that is not given.
    """
    text = resources.files("dealguard_cluster").joinpath("templates", template).read_text(encoding="utf-8")
    return Template(text).substitute(
        name=layout.name,
        node_address=layout.node_address,
        api_server_port=API_SERVER_PORT,
        state=layout.state,
        run=layout.run,
        pki=layout.pki,
        kubeconfigs=layout.kubeconfigs,
        config=layout.config,
        logs=layout.logs,
        cgroup=layout.cgroup,
        containerd_root=layout.containerd_root,
        containerd_socket=layout.containerd_socket,
        supervisor_socket=layout.supervisor_socket,
        pod_cidr=POD_CIDR,
        node_pod_cidr=NODE_POD_CIDR,
        service_cidr=SERVICE_CIDR,
        resolver_address=layout.resolver_address,
        uplink_interface=UPLINK_INTERFACE,
        **more,
    )


def node_files(layout: Layout, programs: Iterable[Component], *, pause_image: str, snapshotter: str) -> dict[str, str]:
    """Every configuration file of the node, supervisord's included: its text by its path below `layout.config`."""
    more = {"pause_image": pause_image, "snapshotter": snapshotter}
    files = {target: render(template, layout, **more) for template, target in NODE_FILES.items()}
    files["resolv.conf"] = f"nameserver {layout.resolver_address}\n"
    files["supervisord.conf"] = render("supervisord.conf", layout) + supervisor_programs(layout, programs)
    return files


def are_written(layout: Layout, files: Mapping[str, str]) -> bool:
    """Whether the files on disk, which a running node was started with, are these."""
    paths = {layout.config / name: text for name, text in files.items()}
    return all(path.exists() and path.read_text(encoding="utf-8") == text for path, text in paths.items())


def write(layout: Layout, files: Mapping[str, str]) -> None:
    """Write the files, readable by root alone."""
    for name, text in files.items():
        path = layout.config / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)


def supervisor_programs(layout: Layout, programs: Iterable[Component]) -> str:
    """One `[program:NAME]` section for each component."""
    config = configparser.RawConfigParser()
    for program in programs:
        section = f"program:{program.name}"
        config[section] = {
            "command": _escape(" ".join(_quote(word) for word in program.argv)),
            "priority": str(program.order),
            "environment": ",".join(f'{key}="{_escape(value)}"' for key, value in program.environment),
            "directory": str(layout.state),
            "autorestart": "true",
            # A program that waits for another one (the API server for etcd) may end a few times before that is there;
            # supervisord waits one second longer before each try and would give up after `startretries`.
            "startretries": "1000000",
            "startsecs": "1",
            "stopwaitsecs": "5",
            "redirect_stderr": "true",
            "stdout_logfile": str(layout.log_of(program.name)),
            "stdout_logfile_maxbytes": "20MB",
            "stdout_logfile_backups": "2",
        }
    text = io.StringIO()
    config.write(text, space_around_delimiters=False)
    return "\n" + text.getvalue()


def _quote(word: str) -> str:
    return f'"{word}"' if " " in word else word


def _escape(text: str) -> str:
    return text.replace("%", "%%")  # supervisord expands %(ENV_X)s
